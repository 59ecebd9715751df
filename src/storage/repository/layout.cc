#include <fmt/format.h>

#include "storage/repository/repository.h"
#include "storage/store/object_name.h"

namespace anclora::storage {
namespace {

constexpr std::string_view kSafety = "safety/";
constexpr std::size_t kMaxSourceNameBytes = 63;

bool is_source_character(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; }

}  // namespace

Status check_source_name(std::string_view name) {
  bool good = !name.empty() && name.size() <= kMaxSourceNameBytes && name.front() != '_' && name.front() != '-';
  for (char c : name) good = good && is_source_character(c);
  if (good) return {};
  return Error(ErrorKind::kInvalidArgument, fmt::format("\"{}\" cannot name a source", printable_name(name)),
               "use 1 to 63 of a-z, 0-9, '_' and '-', beginning with a letter or digit");
}

namespace layout {

std::string config() { return "config"; }

std::string key_slot(std::string_view slot) { return fmt::format("keys/{}", slot); }

std::string source_prefix(std::string_view source) {
  if (source.starts_with(kSafety)) return fmt::format("{}/", source);
  return fmt::format("sources/{}/", source);
}

std::string timeline_prefix(std::string_view source, TimelineId timeline) {
  return fmt::format("{}{:010}/", source_prefix(source), timeline.value);
}

std::string log_entry(std::string_view source, TimelineId timeline, std::uint64_t sequence) {
  return fmt::format("{}log/{:020}", timeline_prefix(source, timeline), sequence);
}

std::string pack(std::string_view source, TimelineId timeline, std::uint64_t first, std::uint64_t last) {
  return fmt::format("{}pack/{:020}-{:020}", timeline_prefix(source, timeline), first, last);
}

std::string base_name(redis::Offset offset, std::uint32_t attempt) {
  return fmt::format("{:020}-{:04}", offset.value, attempt);
}

std::string base_prefix(std::string_view source, TimelineId timeline, std::string_view base) {
  return fmt::format("{}base/{}/", timeline_prefix(source, timeline), base);
}

std::string base_part(std::string_view source, TimelineId timeline, std::string_view base, std::uint32_t part) {
  return fmt::format("{}{:06}", base_prefix(source, timeline, base), part);
}

std::string base_manifest(std::string_view source, TimelineId timeline, std::string_view base) {
  return base_prefix(source, timeline, base) + "manifest";
}

std::string side(std::string_view source, TimelineId timeline, std::string_view base) {
  return fmt::format("{}side/{}", timeline_prefix(source, timeline), base);
}

std::string checkpoint_prefix(std::string_view source) { return source_prefix(source) + "checkpoint/"; }

std::string checkpoint(std::string_view source, std::uint64_t ordinal) {
  return fmt::format("{}{:012}/{:012}", checkpoint_prefix(source), full_checkpoint_before(ordinal), ordinal);
}

std::uint64_t full_checkpoint_before(std::uint64_t ordinal) {
  return ordinal == 0 ? 0 : (ordinal - 1) / kFullCheckpointEvery * kFullCheckpointEvery + 1;
}

std::string pin_prefix(std::string_view source) { return source_prefix(source) + "pin/"; }

std::string pin(std::string_view source, std::string_view name) { return pin_prefix(source) + std::string(name); }

std::string record(std::string_view kind, std::string_view id) { return fmt::format("records/{}/{}", kind, id); }

}  // namespace layout
}  // namespace anclora::storage
