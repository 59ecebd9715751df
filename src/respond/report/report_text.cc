#include "respond/report/report_text.h"

#include <string>

namespace anclora::respond {

std::optional<std::string_view> find_report_text(std::string_view group, std::string_view name, Language language) {
  const std::size_t index = find_report_text_entry(std::string(group).append(name));
  if (index == std::size(kReportTexts)) return std::nullopt;
  return language == Language::kSpanish ? kReportTexts[index].spanish : kReportTexts[index].english;
}

}  // namespace anclora::respond
