#include "respond/report/render_report.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "respond/incident/incident_state.h"
#include "respond/notify/message.h"
#include "respond/report/harmless_text.h"
#include "respond/report/report_blocks.h"
#include "respond/report/report_text.h"
#include "respond/runbook/run_record.h"
#include "respond/runbook/run_state.h"
#include "respond/testing/sample_reports.h"
#include "storage/testing/source_tree.h"

namespace anclora::respond {
namespace {

using testing::closed_incident;
using testing::failed_drill;
using testing::hostile_texts;
using testing::passed_drill;

constexpr Language kLanguages[] = {Language::kEnglish, Language::kSpanish};

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t i = text.find(from); i != std::string::npos; i = text.find(from, i + to.size()))
    text.replace(i, from.size(), to);
  return text;
}

// What a person reads of a page or of Markdown: only letters and digits are compared.
std::string read_letters(std::string text) {
  std::string out;
  for (const char each : text)
    if (std::isalnum(static_cast<unsigned char>(each)) != 0 || (each & 0x80) != 0) out.push_back(each);
  return out;
}

std::string page_words(const std::string& html) {
  std::string text = html.substr(html.find("<main>"));
  text = std::regex_replace(text, std::regex("<span class=\"box[^>]*>[^<]*</span>"), " ");
  text = std::regex_replace(text, std::regex("(</t[dh]>|</li>|</h.>|</p>|</div>|<ul>|<br>)"), "\n");
  text = std::regex_replace(text, std::regex("<[^>]*>"), "");
  for (const auto& [from, to] :
       {std::pair("&lt;", "<"), {"&gt;", ">"}, {"&quot;", "\""}, {"&#39;", "'"}, {"&amp;", "&"}})
    text = replaced(text, from, to);
  return text;
}

std::multiset<std::string> cells_of_page(const std::string& html) {
  std::multiset<std::string> cells;
  std::istringstream lines(page_words(html));
  for (std::string line; std::getline(lines, line);)
    if (const std::string words = read_letters(line); !words.empty()) cells.insert(words);
  return cells;
}

TEST(ReportText, LacksNoLanguageAndNamesEveryKeyOnce) {
  std::set<std::string_view> keys;
  for (const ReportText& text : kReportTexts) {
    EXPECT_TRUE(keys.insert(text.key).second) << text.key;
    EXPECT_FALSE(text.english.empty()) << text.key;
    EXPECT_FALSE(text.spanish.empty()) << text.key;
  }
}

TEST(ReportText, KnowsEveryKindOfRecordAndStateOfAStep) {
  for (int kind = 0; kind <= static_cast<int>(RecordKind::kRequestRefused); ++kind) {
    const std::string_view name = to_string(static_cast<RecordKind>(kind));
    if (name == "run.mark") continue;
    EXPECT_TRUE(find_report_text("event.", name, Language::kSpanish)) << name;
  }
  for (int state = 0; state <= static_cast<int>(StepState::kUndone); ++state)
    EXPECT_TRUE(find_report_text("state.", to_string(static_cast<StepState>(state)), Language::kSpanish)) << state;
  for (const auto state :
       {DeliveryState::kSent, DeliveryState::kFailed, DeliveryState::kLimited, DeliveryState::kSkipped})
    EXPECT_TRUE(find_report_text("state.", to_string(state), Language::kSpanish)) << to_string(state);
}

TEST(RenderReport, SaysTheSameInMarkdownAndHtml) {
  for (const ReportFacts& facts : {passed_drill(), failed_drill(), closed_incident()}) {
    for (const Language language : kLanguages) {
      const std::string markdown = render_report(facts, ReportFormat::kMarkdown, language);
      const std::string html = render_report(facts, ReportFormat::kHtml, language);
      // A ticked box is a word on the page.
      const std::string_view passed = ReportKey("verdict.passed").in(language);
      std::string ticked;
      std::istringstream lines(markdown);
      for (std::string line; std::getline(lines, line); ticked += line + "\n") {
        if (!line.starts_with("- [x] ")) continue;
        const std::size_t proof = line.find(" – ");
        line = line.substr(6, proof == std::string::npos ? proof : proof - 6) + std::string(passed) +
               (proof == std::string::npos ? "" : line.substr(proof));
      }
      EXPECT_EQ(read_letters(page_words(html)), read_letters(ticked));
      EXPECT_GT(cells_of_page(html).size(), 60U);
    }
  }
}

TEST(RenderReport, HoldsEveryFactOfTheFailure) {
  const std::string text = render_report(failed_drill(), ReportFormat::kMarkdown, Language::kEnglish);
  for (const char* fact : {"Result: failed", "canary: no answer within 20 s", "RTO was not achieved", "unverified",
                           "missed", "not measured", "1m 30s", "over budget", "3 attempts", "the drill is over"})
    EXPECT_NE(text.find(fact), std::string::npos) << fact << "\n" << text;
}

TEST(RenderReport, LeavesWhatOnlyPeopleKnowAsMarkedBlanks) {
  ReportFacts facts = closed_incident();
  const auto blanks = [&] {
    const std::string text = render_report(facts, ReportFormat::kMarkdown, Language::kSpanish);
    std::size_t count = 0;
    for (std::size_t i = 0; (i = text.find("por escribir por las personas", i)) != std::string::npos; ++i) ++count;
    return count;
  };
  EXPECT_EQ(blanks(), 6U);  // owner and due of an action, users, revenue, to improve, prevention
  facts.words.prevention = "alarm at 80 %";
  EXPECT_EQ(blanks(), 5U);
}

TEST(RenderReport, ShowsEveryTextThatPeopleWroteOfADrill) {
  ReportFacts facts = passed_drill();
  const ReportWords words = {"word1", "word2", "word3", "word4", "word5", "word6", "word7", {"word8"}, {"word9"}};
  facts.words = words;
  for (const auto format : {ReportFormat::kMarkdown, ReportFormat::kHtml}) {
    const std::string text = render_report(facts, format, Language::kEnglish);
    for (int i = 1; i <= 9; ++i) EXPECT_NE(text.find("word" + std::to_string(i)), std::string::npos) << i;
  }
}

TEST(RenderReport, NamesInItsOwnLanguageWhatPeopleWrote) {
  for (const std::string_view part : kReportParts)
    EXPECT_TRUE(find_report_text("written.", part, Language::kSpanish)) << part;
  ReportFacts facts = closed_incident();
  facts.timeline.push_back({*facts.started, facts.id, "incident.written", "", "ada", "root_cause: el disco"});
  EXPECT_NE(render_report(facts, ReportFormat::kMarkdown, Language::kSpanish).find("– causa raíz: el disco"),
            std::string::npos);
}

TEST(RenderReport, AsksForTheRootCauseOfAFailedDrill) {
  ReportFacts facts = passed_drill();
  const auto asks = [&] {
    return render_report(facts, ReportFormat::kMarkdown, Language::kEnglish).contains("Root cause");
  };
  EXPECT_FALSE(asks());
  facts.state = "failed";
  EXPECT_TRUE(asks());
}

TEST(RenderReport, MakesHostileTextsHarmlessInHtml) {
  for (const ReportFacts& facts : {failed_drill(), closed_incident()}) {
    for (const std::string& text : hostile_texts()) {
      const std::string html =
          render_report(testing::with_text_everywhere(facts, text), ReportFormat::kHtml, Language::kEnglish);
      const std::string body = html.substr(html.find("</style>") + 8);
      EXPECT_EQ(std::regex_search(body, std::regex("<(script|img|svg|style|a|b|link|iframe)[ />]")), false) << text;
      EXPECT_TRUE(std::regex_search(html, std::regex("<title>[^<]*</title>"))) << text;
      // Attributes are only ours.
      static const std::regex kTag("<[a-z0-9]+([^>]*)>");
      for (std::sregex_iterator tag(body.begin(), body.end(), kTag), end; tag != end; ++tag)
        EXPECT_TRUE(std::regex_match(
            (*tag)[1].str(), std::regex("( (class|id|scope|rowspan|aria-labelledby|aria-hidden)=\"[a-z0-9 ]*\"| "
                                        "style=\"width:[0-9.]+%\")*")))
            << (*tag)[0];
      for (const char each : html) EXPECT_TRUE(each == '\n' || static_cast<unsigned char>(each) >= 0x20);
      for (const char* mark : {"\xE2\x80\xAE", "\xE2\x81\xA6", "\xE2\x80\x8B", "\xEF\xBB\xBF", "\x7F"})
        EXPECT_EQ(html.find(mark), std::string::npos);
      EXPECT_EQ(html.find(std::string(2100, 'x')), std::string::npos);
    }
  }
}

TEST(RenderReport, MakesHostileTextsHarmlessInMarkdown) {
  for (const ReportFacts& facts : {failed_drill(), closed_incident()}) {
    const std::string good = render_report(facts, ReportFormat::kMarkdown, Language::kEnglish);
    for (const std::string& text : hostile_texts()) {
      const std::string markdown =
          render_report(testing::with_text_everywhere(facts, text), ReportFormat::kMarkdown, Language::kEnglish);
      // Outside of code spans nothing is left that means something.
      const std::string words = std::regex_replace(replaced(markdown, "\\`", ""), std::regex("`[^`\n]*`"), "");
      EXPECT_FALSE(
          std::regex_search(words, std::regex("[^\\\\]<|[^\\\\]\\]\\(|[^\\\\:]://|[^\\\\]`|!\\[|\\[click\\]\\(")))
          << words;
      // No text makes a line, a heading, a table or a cell of its own.
      std::istringstream lines(words);
      for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("|")) continue;
        const std::string bare = replaced(line, "\\|", "");
        const auto cells = std::count(bare.begin(), bare.end(), '|');
        EXPECT_TRUE(cells >= 3 && cells <= 7) << line;
      }
      EXPECT_FALSE(std::regex_search(markdown, std::regex("\n(# Heading|2\\) two|> quote|===|- \\[x\\] done\n)")));
    }
  }
}

TEST(RenderReport, KeepsForeignTextWholeInJson) {
  for (const std::string& text : hostile_texts()) {
    const auto facts = testing::with_text_everywhere(closed_incident(), text);
    const std::string json = render_report(facts, ReportFormat::kJson, Language::kSpanish);
    for (const char each : json) EXPECT_TRUE(each == '\n' || (each >= 0x20 && each < 0x7F));
    EXPECT_EQ(json, render_report(facts, ReportFormat::kJson, Language::kEnglish));
    const auto parsed = nlohmann::json::parse(json);
    if (text.find("\xFF") == std::string::npos) {
      EXPECT_EQ(parsed["words"]["root_cause"], text);
    }
  }
}

TEST(RenderReport, RefusesFormatsAndLanguagesThatThereAreNot) {
  EXPECT_EQ(parse_report_format("doc").error().kind(), ErrorKind::kInvalidArgument);
  EXPECT_EQ(parse_language("fr").error().kind(), ErrorKind::kInvalidArgument);
}

TEST(PlainText, CutsBetweenCharactersAndSaysHowMuch) {
  EXPECT_EQ(plain_text("añoaño", "cut:", 4), "año [cut: 4]");
  EXPECT_EQ(plain_text("añb", "cut:", 2), "a [cut: 3]");
  EXPECT_EQ(plain_text("a\r\n\tb", "cut:"), "a   b");
}

// Golden files: ANCLORA_WRITE_GOLDEN=1 writes them anew; look at the difference before it is committed.
class GoldenReport : public ::testing::TestWithParam<std::tuple<const char*, Language, ReportFormat>> {};

TEST_P(GoldenReport, IsAsItWas) {
  const auto [name, language, format] = GetParam();
  const ReportFacts facts = std::string_view(name) == "drill-passed"   ? passed_drill()
                            : std::string_view(name) == "drill-failed" ? failed_drill()
                                                                       : closed_incident();
  const std::string rendered = render_report(facts, format, language);
  const std::string path = storage::source_path("tests/golden/reports/") + name +
                           (language == Language::kSpanish ? ".es" : ".en") +
                           (format == ReportFormat::kHtml   ? ".html"
                            : format == ReportFormat::kJson ? ".json"
                                                            : ".md");
  if (std::getenv("ANCLORA_WRITE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << rendered;
  std::ifstream file(path);
  std::stringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(rendered, golden.str()) << path;
}

INSTANTIATE_TEST_SUITE_P(
    All, GoldenReport,
    ::testing::Combine(::testing::Values("drill-passed", "drill-failed", "incident"), ::testing::ValuesIn(kLanguages),
                       ::testing::Values(ReportFormat::kMarkdown, ReportFormat::kHtml, ReportFormat::kJson)));

}  // namespace
}  // namespace anclora::respond
