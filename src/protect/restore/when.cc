#include "protect/restore/when.h"

#include <fmt/format.h>

#include "base/whole_number.h"

namespace anclora::protect {
namespace {

Error refusal(std::string_view text, std::string_view why) {
  return Error(ErrorKind::kInvalidArgument, fmt::format("\"{}\" is not a moment: {}", text, why),
               "write latest, a time such as 2026-11-24T12:34:56Z, \"5m ago\", offset:N, offset:T/N, before:N, "
               "before:T/N or tag:NAME");
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

struct Place {
  std::optional<storage::TimelineId> timeline;
  redis::Offset offset;
};

Result<Place> parse_place(std::string_view whole, std::string_view text) {
  if (text.find('/') != std::string_view::npos) {
    auto position = storage::parse_position(text);
    if (!position.has_value()) return refusal(whole, position.error().message());
    return Place{position->timeline, position->offset};
  }
  const auto value = whole_number<std::uint64_t>(text);
  if (!value || *value >> 63 != 0) return refusal(whole, "an offset is a number from 0 to 9223372036854775807");
  return Place{std::nullopt, redis::Offset{*value}};
}

std::string place_text(std::optional<storage::TimelineId> timeline, redis::Offset offset) {
  if (timeline) return storage::to_string(storage::Position{*timeline, offset});
  return std::to_string(offset.value);
}

// "90 s" would not parse as a duration; microseconds always do.
std::string exact_duration(Duration duration) {
  const std::int64_t micros = duration.count();
  if (micros % 1'000'000 == 0) return fmt::format("{}s", micros / 1'000'000);
  return fmt::format("{}us", micros);
}

struct Printer {
  std::string operator()(const WhenLatest&) const { return "latest"; }
  std::string operator()(const WhenTime& when) const { return format_rfc3339(when.time); }
  std::string operator()(const WhenAgo& when) const { return exact_duration(when.ago) + " ago"; }
  std::string operator()(const WhenOffset& when) const { return "offset:" + place_text(when.timeline, when.offset); }
  std::string operator()(const WhenBefore& when) const { return "before:" + place_text(when.timeline, when.command); }
  std::string operator()(const WhenTag& when) const { return "tag:" + when.name; }
};

}  // namespace

Result<When> parse_when(std::string_view text) {
  std::string_view rest = text;
  if (text == "latest") return When(WhenLatest{});
  if (take_prefix(rest, "tag:")) {
    if (rest.empty()) return refusal(text, "the tag has no name");
    return When(WhenTag{std::string(rest)});
  }
  if (take_prefix(rest, "offset:")) {
    ASSIGN_OR_RETURN(const Place place, parse_place(text, rest));
    return When(WhenOffset{place.timeline, place.offset});
  }
  if (take_prefix(rest, "before:")) {
    ASSIGN_OR_RETURN(const Place place, parse_place(text, rest));
    if (place.offset.value == 0) return refusal(text, "a command's first byte has an offset of at least 1");
    return When(WhenBefore{place.timeline, place.offset});
  }
  if (rest.ends_with("ago")) {
    rest.remove_suffix(3);
    while (rest.ends_with(' ')) rest.remove_suffix(1);
    auto ago = parse_duration(rest);
    if (!ago.has_value()) return refusal(text, ago.error().message());
    if (*ago > kLongestAgo) return refusal(text, "no repository is older than 36500d");
    return When(WhenAgo{*ago});
  }
  auto time = parse_rfc3339(text);
  if (!time.has_value()) return refusal(text, "it has none of the known forms");
  return When(WhenTime{*time});
}

std::string to_string(const When& when) { return std::visit(Printer(), when); }

}  // namespace anclora::protect
