#include "respond/report/report_html.h"

#include <fmt/format.h>

#include <algorithm>

#include "respond/report/harmless_text.h"
#include "respond/report/report_text.h"

namespace anclora::respond {
namespace {

using Kind = ReportBlock::Kind;
using Look = ReportCell::Look;

constexpr std::string_view kStyle = R"(
:root{color-scheme:light}
*{box-sizing:border-box}
body{font:16px/1.5 "DejaVu Sans","Segoe UI",Roboto,Helvetica,Arial,sans-serif;color:#1a1a1a;
background:#fff;max-width:64rem;margin:2rem auto;padding:0 1.25rem}
h1{font-size:1.7rem;line-height:1.25;margin:0 0 1rem}
h2{font-size:1.2rem;margin:2.2rem 0 .6rem;padding-bottom:.2rem;border-bottom:2px solid #d0d7de}
h3{font-size:1rem;margin:1.4rem 0 .4rem}
p,td,th,li{unicode-bidi:isolate;overflow-wrap:anywhere}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;margin:.4rem 0}
th{overflow-wrap:normal}
td{min-width:4.5rem}
td,th{border:1px solid #d0d7de;padding:.35rem .6rem;text-align:left;vertical-align:top}
thead th{background:#f3f5f7;font-weight:600}
table.pairs th{width:14rem;background:#f3f5f7;font-weight:600}
td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
td.t{white-space:nowrap;font-variant-numeric:tabular-nums}
code.s{white-space:nowrap}
code{font:.875em "DejaVu Sans Mono",Consolas,monospace;overflow-wrap:anywhere}
.good{color:#0b6b2f;font-weight:600}
.bad{color:#a4121c;font-weight:600}
.muted{color:#57606a}
.blank{color:#57606a;font-style:italic;border-bottom:1px dotted #57606a}
div.blank{border:1px dashed #8c959f;border-radius:4px;padding:.5rem .75rem;min-height:4.5rem}
.verdict{border-left:6px solid #57606a;background:#f3f5f7;padding:.6rem 1rem;margin:0 0 1rem;
font-size:1.1rem;font-weight:600}
.verdict.good{border-color:#0b6b2f;background:#eaf6ee}
.verdict.bad{border-color:#a4121c;background:#fdeeee}
.verdict ul{font-size:1rem;font-weight:400;color:#1a1a1a;margin:.3rem 0 0}
ul{padding-left:1.4rem}
ul.check{list-style:none;padding-left:0}
ul.check li{margin:.2rem 0;padding-left:1.7rem;text-indent:-1.7rem}
.box{display:inline-block;width:1.7rem;text-indent:0;font-weight:600}
.bar{height:1.1rem;margin:.5rem 0;background:#eaeef2;overflow:hidden}
.bar span{display:block;float:left;height:100%}
.b0{background:#8250df}.b1{background:#bf8700}.b2{background:#0969da}.b3{background:#1a7f37}
.key{display:inline-block;width:.8rem;height:.8rem;margin-right:.5rem}
@page{size:A4;margin:16mm 14mm 18mm;
@bottom-right{content:counter(page) " / " counter(pages);font:8pt sans-serif;color:#57606a}}
@media print{
body{font-size:9.5pt;max-width:none;margin:0;padding:0}
h1{font-size:17pt}h2{font-size:12.5pt;margin-top:1.2rem}h3{font-size:10.5pt}
h2,h3{break-after:avoid}
tr,li,.verdict,.blank{break-inside:avoid}
thead{display:table-header-group}
.scroll{overflow:visible}
td,th{padding:.2rem .4rem}
.bar,.bar span,.key,.verdict,thead th,table.pairs th{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
)";

constexpr std::size_t kShortCode = 24;  // names of steps and actions stay in one piece

std::string_view class_of(Look look) {
  switch (look) {
    case Look::kGood:
      return "good";
    case Look::kBad:
      return "bad";
    case Look::kMuted:
      return "muted";
    case Look::kBlank:
      return "blank";
    case Look::kText:
    case Look::kCode:
      break;
  }
  return "";
}

// "2026-11-24 16:05:04" and the like: not to be broken over lines.
bool is_time(const std::string& text) { return text.size() == 19 && text[4] == '-' && text[13] == ':'; }

class HtmlWriter {
 public:
  explicit HtmlWriter(Language language) : cut_(ReportKey("cut").in(language)), language_(language) {}

  std::string write(const ReportBlock& block) {
    switch (block.kind) {
      case Kind::kHeading:
        return heading(block);
      case Kind::kVerdict:
        return verdict(block);
      case Kind::kPairs:
        return pairs(block);
      case Kind::kTable:
        return table(block);
      case Kind::kList:
        return "<ul>\n" + items(block) + "</ul>\n";
      case Kind::kChecklist:
        return checklist(block);
      case Kind::kBlank:
        return "<div class=\"blank\">" + text(block.cell.text) + "</div>\n";
      case Kind::kParagraph:
        break;
    }
    return "<p>" + cell(block.cell) + "</p>\n";
  }

 private:
  std::string text(std::string_view raw) const { return escape_html(plain_text(raw, cut_)); }

  std::string cell(const ReportCell& cell) const {
    if (cell.look == Look::kCode)
      return fmt::format("<code{}>{}</code>", cell.text.size() <= kShortCode ? " class=\"s\"" : "", text(cell.text));
    const std::string_view name = class_of(cell.look);
    if (name.empty() || cell.text.empty()) return text(cell.text);
    return fmt::format("<span class=\"{}\">{}</span>", name, text(cell.text));
  }

  std::string heading(const ReportBlock& block) {
    ++headings_;
    return fmt::format("<h{0} id=\"h{1}\">{2}</h{0}>\n", block.level, headings_, text(block.cell.text));
  }

  std::string items(const ReportBlock& block) const {
    std::string out;
    for (const auto& row : block.rows) out += "<li>" + cell(row.front()) + "</li>\n";
    return out;
  }

  std::string verdict(const ReportBlock& block) const {
    const std::string reasons = block.rows.empty() ? "" : "\n<ul>\n" + items(block) + "</ul>\n";
    return fmt::format("<div class=\"verdict {}\">{}{}</div>\n", class_of(block.cell.look), text(block.cell.text),
                       reasons);
  }

  std::string pairs(const ReportBlock& block) const {
    std::string out = fmt::format("<table class=\"pairs\" aria-labelledby=\"h{}\"><tbody>\n", headings_);
    for (std::size_t i = 0; i < block.rows.size(); ++i) {
      const bool goes_on = i + 1 < block.rows.size() && block.rows[i + 1][0].text.empty();
      if (!block.rows[i][0].text.empty())
        out += fmt::format("<tr><th scope=\"row\"{}>{}</th>", goes_on ? " rowspan=\"2\"" : "", cell(block.rows[i][0]));
      else
        out += "<tr>";
      out += "<td>" + cell(block.rows[i][1]) + "</td></tr>\n";
    }
    return out + "</tbody></table>\n";
  }

  static std::string bars(const ReportBlock& block) {
    if (block.bars.empty()) return "";
    std::string out = "<div class=\"bar\" aria-hidden=\"true\">";
    for (std::size_t i = 0; i < block.bars.size(); ++i)
      out += fmt::format("<span class=\"b{}\" style=\"width:{:.2f}%\"></span>", i % 4, block.bars[i].share * 100);
    return out + "</div>\n";
  }

  std::string table(const ReportBlock& block) const {
    std::string out = bars(block);
    out += fmt::format("<div class=\"scroll\"><table aria-labelledby=\"h{}\"><thead><tr>", headings_);
    for (std::size_t i = 0; i < block.header.size(); ++i)
      out += fmt::format("<th scope=\"col\"{}>{}</th>", block.numeric[i] ? " class=\"n\"" : "", text(block.header[i]));
    out += "</tr></thead><tbody>\n";
    for (std::size_t row = 0; row < block.rows.size(); ++row) {
      out += "<tr>";
      for (std::size_t i = 0; i < block.rows[row].size(); ++i) {
        const ReportCell& each = block.rows[row][i];
        const std::string key =
            i == 0 && !block.bars.empty() ? fmt::format("<span class=\"key b{}\"></span>", row % 4) : "";
        const char* look = block.numeric[i] ? " class=\"n\"" : is_time(each.text) ? " class=\"t\"" : "";
        out += fmt::format("<td{}>{}{}</td>", look, key, cell(each));
      }
      out += "</tr>\n";
    }
    return out + "</tbody></table></div>\n";
  }

  std::string checklist(const ReportBlock& block) const {
    std::string out = "<ul class=\"check\">\n";
    for (std::size_t i = 0; i < block.rows.size(); ++i) {
      const Verdict verdict = block.verdicts[i];
      const std::string sign = verdict == Verdict::kPassed ? "<span class=\"box good\" aria-hidden=\"true\">☑</span>"
                               : verdict == Verdict::kFailed
                                   ? "<span class=\"box bad\" aria-hidden=\"true\">☒</span>"
                                   : "<span class=\"box muted\" aria-hidden=\"true\">☐</span>";
      out += "<li>" + sign + cell(block.rows[i][0]);
      if (verdict == Verdict::kPassed) out += ": <span class=\"good\">" + text(say("verdict.passed")) + "</span>";
      if (verdict == Verdict::kFailed) out += ": <span class=\"bad\">" + text(say("verdict.failed")) + "</span>";
      if (verdict == Verdict::kUnknown) out += ": <span class=\"muted\">" + text(say("verdict.unknown")) + "</span>";
      if (!block.rows[i][1].text.empty()) out += " – " + cell(block.rows[i][1]);
      out += "</li>\n";
    }
    return out + "</ul>\n";
  }

  std::string_view say(ReportKey key) const { return key.in(language_); }

  std::string_view cut_;
  Language language_;
  int headings_ = 0;
};

}  // namespace

std::string blocks_to_html(const std::vector<ReportBlock>& blocks, Language language, std::string_view title) {
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n<style>{}</style>\n"
      "</head>\n<body>\n<main>\n",
      language == Language::kSpanish ? "es" : "en", escape_html(plain_text(title, ReportKey("cut").in(language), 200)),
      kStyle);
  HtmlWriter writer(language);
  for (const ReportBlock& block : blocks) out += writer.write(block);
  return out + "</main>\n</body>\n</html>\n";
}

}  // namespace anclora::respond
