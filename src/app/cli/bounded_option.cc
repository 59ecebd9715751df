#include "app/cli/bounded_option.h"

#include <fmt/format.h>

#include <array>

#include "plan/schema/span.h"

namespace anclora::app {
namespace {

Error out_of_range(std::string_view option, const std::string& text, std::string_view what, const std::string& least,
                   const std::string& most) {
  return Error(ErrorKind::kInvalidArgument,
               fmt::format("{} \"{}\" is no {} from {} to {}", option, text, what, least, most),
               fmt::format("give {} something between {} and {}", option, least, most));
}

// As parse_size() reads it: "64MiB".
std::string size_text(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kNames = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && bytes % 1024 == 0 && unit + 1 < kNames.size(); ++unit) bytes /= 1024;
  return fmt::format("{}{}", bytes, kNames.at(unit));
}

}  // namespace

Result<Duration> duration_option(std::string_view option, const std::string& text, Duration least, Duration most) {
  if (least == Duration::zero() && (text == "0" || text == "0s")) return Duration::zero();
  const auto duration = parse_duration(text);
  if (!duration || *duration < least || *duration > most)
    return out_of_range(option, text, "duration", plan::format_span(least), plan::format_span(most));
  return *duration;
}

Result<std::uint64_t> size_option(std::string_view option, const std::string& text, std::uint64_t least,
                                  std::uint64_t most) {
  const auto size = parse_size(text);
  if (!size || *size < least || *size > most)
    return out_of_range(option, text, "size", size_text(least), size_text(most));
  return *size;
}

}  // namespace anclora::app
