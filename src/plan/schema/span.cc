#include "plan/schema/span.h"

#include <array>
#include <utility>

namespace anclora::plan {

std::optional<Duration> parse_span(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, int>, 6> kWords = {
      {{"hour", 1}, {"day", 24}, {"week", 7 * 24}, {"month", 31 * 24}, {"quarter", 92 * 24}, {"year", 366 * 24}}};
  for (const auto& [word, hours] : kWords)
    if (text == word) return std::chrono::hours(hours);
  if (text == "0" || text == "0s" || text == "0m" || text == "0h") return Duration::zero();
  if (text.size() > 32) return std::nullopt;
  const auto parsed = parse_duration(text);
  // Sums over a plan must not overflow: ten years are enough for anybody.
  if (!parsed || *parsed > std::chrono::hours(10 * 366 * 24)) return std::nullopt;
  return *parsed;
}

std::string format_span(Duration duration) {
  if (duration <= Duration::zero()) return "0s";
  constexpr std::array<std::pair<std::int64_t, const char*>, 5> kUnits = {
      {{86'400'000'000, "d"}, {3'600'000'000, "h"}, {60'000'000, "m"}, {1'000'000, "s"}, {1'000, "ms"}}};
  std::int64_t rest = duration.count();
  std::string text;
  for (const auto& [micros, unit] : kUnits) {
    if (rest / micros == 0) continue;
    if (std::string_view(unit) == "ms" && !text.empty()) break;
    text += std::to_string(rest / micros) + unit;
    rest %= micros;
  }
  return text.empty() ? "0s" : text;
}

}  // namespace anclora::plan
