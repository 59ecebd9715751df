// What `plan check` and `plan import` say about one place of a file. Codes are stable; docs/plan-file.md lists them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plan/value.h"

namespace anclora::plan {

enum class Severity : std::uint8_t { kError, kWarning };

// "error", "warning".
std::string_view to_string(Severity severity);

struct Finding {
  std::string code;  // "objective.rto"
  Severity severity = Severity::kError;
  Place place;
  std::string message;  // what is wrong
  std::string hint;     // what to write instead
};

using Findings = std::vector<Finding>;

bool has_errors(const Findings& findings);
// True when nothing is found but actions and drivers that this version lacks.
bool clean_but_unavailable(const Findings& findings);
// By line and column; findings at one place keep their order; exact repetitions are dropped.
void sort_by_place(Findings& findings);
// "file:line:column: error: message [code]" and, on a second line, the hint.
std::string to_text(std::string_view file, const Finding& finding);
// {"file", "line", "column", "code", "severity", "message", "hint"} on one line.
std::string to_json_line(std::string_view file, const Finding& finding);
// The same objects as an array.
std::string to_json_array(std::string_view file, const Findings& findings);

inline void add_error(Findings& findings, std::string code, Place place, std::string message, std::string hint) {
  findings.push_back({std::move(code), Severity::kError, place, std::move(message), std::move(hint)});
}
inline void add_warning(Findings& findings, std::string code, Place place, std::string message, std::string hint) {
  findings.push_back({std::move(code), Severity::kWarning, place, std::move(message), std::move(hint)});
}

}  // namespace anclora::plan
