#include "respond/report/render_report.h"

#include "respond/report/report_blocks.h"
#include "respond/report/report_html.h"
#include "respond/report/report_json.h"
#include "respond/report/report_markdown.h"

namespace anclora::respond {

Result<ReportFormat> parse_report_format(std::string_view name) {
  if (name == "md" || name == "markdown") return ReportFormat::kMarkdown;
  if (name == "html") return ReportFormat::kHtml;
  if (name == "json") return ReportFormat::kJson;
  return Error(ErrorKind::kInvalidArgument, "no such format of a report: " + std::string(name),
               "there are md, html, json and pdf");
}

Result<Language> parse_language(std::string_view name) {
  if (name == "en") return Language::kEnglish;
  if (name == "es") return Language::kSpanish;
  return Error(ErrorKind::kInvalidArgument, "no reports in the language " + std::string(name), "there are en and es");
}

Bytes render_report(const ReportFacts& facts, ReportFormat format, Language language) {
  if (format == ReportFormat::kJson) return facts_to_json(facts);
  const std::vector<ReportBlock> blocks = report_blocks(facts, language);
  return format == ReportFormat::kHtml ? blocks_to_html(blocks, language, report_title(facts, language))
                                       : blocks_to_markdown(blocks, language);
}

}  // namespace anclora::respond
