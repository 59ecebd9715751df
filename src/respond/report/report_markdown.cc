#include "respond/report/report_markdown.h"

#include <algorithm>

#include "respond/report/harmless_text.h"
#include "respond/report/report_text.h"

namespace anclora::respond {
namespace {

using Kind = ReportBlock::Kind;
using Look = ReportCell::Look;

class MarkdownWriter {
 public:
  explicit MarkdownWriter(Language language) : cut_(ReportKey("cut").in(language)), language_(language) {}

  std::string write(const ReportBlock& block) const {
    switch (block.kind) {
      case Kind::kHeading:
        return std::string(static_cast<std::size_t>(block.level), '#') + " " + cell(block.cell) + "\n";
      case Kind::kVerdict:
        return verdict(block);
      case Kind::kPairs:
        return pairs(block);
      case Kind::kTable:
        return table(block);
      case Kind::kList:
        return list(block);
      case Kind::kChecklist:
        return checklist(block);
      case Kind::kParagraph:
      case Kind::kBlank:
        break;
    }
    return cell(block.cell) + "\n";
  }

 private:
  static bool is_plain_code(const std::string& text) {
    return !text.empty() && text.front() != ' ' && text.back() != ' ' && text.find_first_of("`|") == std::string::npos;
  }

  std::string cell(const ReportCell& cell) const {
    const std::string text = plain_text(cell.text, cut_);
    switch (cell.look) {
      case Look::kCode:
        return is_plain_code(text) ? "`" + text + "`" : escape_markdown(text);
      case Look::kBlank:
        return "_\\[" + escape_markdown(text) + "\\]_";
      case Look::kBad:
        return text.empty() ? text : "**" + escape_markdown(text) + "**";
      case Look::kText:
      case Look::kGood:
      case Look::kMuted:
        break;
    }
    return escape_markdown(text);
  }

  std::string verdict(const ReportBlock& block) const {
    std::string out = "**" + escape_markdown(plain_text(block.cell.text, cut_)) + "**\n";
    if (!block.rows.empty()) out += "\n";
    for (const auto& row : block.rows) out += "- " + cell(row.front()) + "\n";
    return out;
  }

  std::string pairs(const ReportBlock& block) const {
    std::string out = "| | |\n|---|---|\n";
    for (const auto& row : block.rows)
      out += (row[0].text.empty() ? "| " : "| **" + cell(row[0]) + "** ") + "| " + cell(row[1]) + " |\n";
    return out;
  }

  std::string table(const ReportBlock& block) const {
    std::string out;
    for (const std::string& name : block.header) out += "| " + cell(name) + " ";
    out += "|\n";
    for (const bool numeric : block.numeric) out += numeric ? "|--:" : "|---";
    out += "|\n";
    for (const auto& row : block.rows) {
      for (const ReportCell& each : row) out += "| " + cell(each) + " ";
      out += "|\n";
    }
    return out;
  }

  std::string list(const ReportBlock& block) const {
    std::string out;
    for (const auto& row : block.rows) out += "- " + cell(row.front()) + "\n";
    return out;
  }

  std::string checklist(const ReportBlock& block) const {
    std::string out;
    for (std::size_t i = 0; i < block.rows.size(); ++i) {
      const Verdict verdict = block.verdicts[i];
      out += verdict == Verdict::kPassed ? "- [x] " : "- [ ] ";
      out += cell(block.rows[i][0]);
      if (verdict == Verdict::kFailed) out += ": **" + std::string(ReportKey("verdict.failed").in(language_)) + "**";
      if (verdict == Verdict::kUnknown) out += ": " + std::string(ReportKey("verdict.unknown").in(language_));
      if (!block.rows[i][1].text.empty()) out += " – " + cell(block.rows[i][1]);
      out += "\n";
    }
    return out;
  }

  std::string_view cut_;
  Language language_;
};

}  // namespace

std::string blocks_to_markdown(const std::vector<ReportBlock>& blocks, Language language) {
  const MarkdownWriter writer(language);
  std::string out;
  for (const ReportBlock& block : blocks) out += (out.empty() ? "" : "\n") + writer.write(block);
  return out;
}

}  // namespace anclora::respond
