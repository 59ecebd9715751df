// The texts of clock.h: RFC 3339, durations and sizes.
#include <fmt/core.h>

#include <array>
#include <cctype>
#include <optional>

#include "base/clock.h"

namespace anclora {
namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes exactly `count` digits from the front.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take_char(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// ".123456789" in microseconds, truncated; 0 without a dot.
std::optional<std::int64_t> take_fraction(std::string_view& text) {
  if (text.empty() || text.front() != '.') return 0;
  text.remove_prefix(1);
  std::int64_t micros = 0;
  int digits = 0;
  while (!text.empty() && is_digit(text.front())) {
    if (++digits > 9) return std::nullopt;
    if (digits <= 6) micros = micros * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 6; ++digits) micros *= 10;
  return micros;
}

// "Z" or "+hh:mm".
std::optional<std::chrono::minutes> take_utc_offset(std::string_view& text) {
  if (take_char(text, "Zz")) return std::chrono::minutes(0);
  const bool negative = !text.empty() && text.front() == '-';
  if (!take_char(text, "+-")) return std::nullopt;
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 23 || !take_char(text, ":")) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  const std::chrono::minutes offset(*hours * 60 + *minutes);
  return negative ? -offset : offset;
}

std::optional<std::chrono::year_month_day> take_date(std::string_view& text) {
  const auto year = take_digits(text, 4);
  if (!year || !take_char(text, "-")) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take_char(text, "-")) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return date;
}

std::optional<std::chrono::seconds> take_time_of_day(std::string_view& text) {
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take_char(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59 || !take_char(text, ":")) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second || *second > 60) return std::nullopt;  // 60: a leap second, counted as the next one
  return std::chrono::seconds(*hour * 3600 + *minute * 60 + *second);
}

std::optional<WallTime> take_time(std::string_view& text) {
  const auto date = take_date(text);
  if (!date || !take_char(text, "Tt ")) return std::nullopt;
  const auto time = take_time_of_day(text);
  if (!time) return std::nullopt;
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  const auto offset = take_utc_offset(text);
  if (!offset) return std::nullopt;
  return WallTime(std::chrono::sys_days(*date)) + *time + Duration(*fraction) - *offset;
}

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

constexpr std::array<Unit, 7> kDurationUnits = {{{"us", 1},
                                                 {"ms", 1'000},
                                                 {"s", kMicrosPerSecond},
                                                 {"m", 60 * kMicrosPerSecond},
                                                 {"h", 3600 * kMicrosPerSecond},
                                                 {"d", 86400 * kMicrosPerSecond},
                                                 {"w", std::int64_t{7} * 86400 * kMicrosPerSecond}}};

constexpr std::array<Unit, 13> kSizeUnits = {{{"", 1},
                                              {"B", 1},
                                              {"K", 1 << 10},
                                              {"KiB", 1 << 10},
                                              {"KB", 1'000},
                                              {"M", 1 << 20},
                                              {"MiB", 1 << 20},
                                              {"MB", 1'000'000},
                                              {"G", 1 << 30},
                                              {"GiB", 1 << 30},
                                              {"GB", 1'000'000'000},
                                              {"TiB", std::int64_t{1} << 40},
                                              {"TB", 1'000'000'000'000}}};

bool same_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (std::tolower(static_cast<unsigned char>(a[i])) != std::tolower(static_cast<unsigned char>(b[i]))) return false;
  return true;
}

std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t value = 0;
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) {
    if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, text[digits] - '0', &value))
      return std::nullopt;
    ++digits;
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

std::optional<std::int64_t> take_duration_factor(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && !is_digit(text[length])) ++length;
  const std::string_view name = text.substr(0, length);
  text.remove_prefix(length);
  for (const Unit& unit : kDurationUnits)
    if (unit.name == name) return unit.factor;
  return std::nullopt;
}

}  // namespace

std::string format_rfc3339(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::int64_t micros = (time - day).count();
  const std::int64_t seconds = micros / kMicrosPerSecond;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), seconds / 3600,
                     seconds / 60 % 60, seconds % 60, micros % kMicrosPerSecond);
}

Result<WallTime> parse_rfc3339(std::string_view text) {
  std::string_view rest = text;
  const auto time = take_time(rest);
  if (!time || !rest.empty())
    return Error(ErrorKind::kInvalidArgument, fmt::format("\"{}\" is not a time", text),
                 "write it as 2026-11-24T12:34:56Z, with Z or an offset such as +02:00");
  return *time;
}

Result<Duration> parse_duration(std::string_view text) {
  const Error refusal(ErrorKind::kInvalidArgument, fmt::format("\"{}\" is not a positive duration", text),
                      "write it as 200ms, 30s, 5m, 1h30m or 7d");
  std::string_view rest = text;
  std::int64_t total = 0;
  while (!rest.empty()) {
    const auto number = take_number(rest);
    if (!number) return refusal;
    const auto factor = take_duration_factor(rest);
    std::int64_t part = 0;
    if (!factor || __builtin_mul_overflow(*number, *factor, &part) || __builtin_add_overflow(total, part, &total))
      return refusal;
  }
  if (total <= 0) return refusal;
  return Duration(total);
}

std::string format_duration(Duration duration) {
  if (duration < Duration::zero()) return "-" + format_duration(-duration);
  const std::int64_t micros = duration.count();
  const std::int64_t seconds = (micros + kMicrosPerSecond / 2) / kMicrosPerSecond;
  if (micros == 0) return "0 s";
  if (micros < 1'000) return fmt::format("{} us", micros);
  if (micros < kMicrosPerSecond) return fmt::format("{} ms", micros / 1'000);
  if (micros < 60 * kMicrosPerSecond) return fmt::format("{}.{} s", micros / kMicrosPerSecond, micros / 100'000 % 10);
  if (seconds < 3600) return fmt::format("{}m {:02}s", seconds / 60, seconds % 60);
  if (seconds < 86400) return fmt::format("{}h {:02}m", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{}d {:02}h", seconds / 86400, seconds / 3600 % 24);
}

Result<std::uint64_t> parse_size(std::string_view text) {
  std::string_view rest = text;
  const auto number = take_number(rest);
  if (number)
    for (const Unit& unit : kSizeUnits) {
      std::int64_t size = 0;
      if (same_ignoring_case(unit.name, rest) && !__builtin_mul_overflow(*number, unit.factor, &size))
        return static_cast<std::uint64_t>(size);
    }
  return Error(ErrorKind::kInvalidArgument, fmt::format("\"{}\" is not a size", text),
               "write it as 1048576, 64MiB, 10MB or 4GiB");
}

std::string format_size(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 6> kNames = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < kNames.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kNames.at(unit));
}

}  // namespace anclora
