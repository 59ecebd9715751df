// A report as a document for people or as data. Every text that comes from outside is escaped for its format and has no
// control or direction characters left; long ones are cut and say so.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "respond/report/report_facts.h"

namespace anclora::respond {

enum class ReportFormat : std::uint8_t { kMarkdown, kHtml, kJson };
enum class Language : std::uint8_t { kEnglish, kSpanish };

// "md", "html", "json"; "en", "es". kInvalidArgument naming those there are.
Result<ReportFormat> parse_report_format(std::string_view name);
Result<Language> parse_language(std::string_view name);

// HTML is one page without scripts or anything from elsewhere, and prints well on A4. JSON is the same in every
// language: its fields are in docs/json.md.
Bytes render_report(const ReportFacts& facts, ReportFormat format, Language language);

}  // namespace anclora::respond
