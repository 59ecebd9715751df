#include "protect/verify/sighting.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "storage/repository/record.h"

namespace anclora::protect {
namespace {

using storage::SourceState;
using storage::TimelineId;

constexpr std::size_t kRecordsTried = 8;
constexpr std::string_view kLostEntriesAdvice =
    "what they held cannot be restored from here: copy them from a mirror (anclora mirror with the two exchanged), and "
    "find out who deletes in this store";

// A record is sealed under its name; what is not there in it was not yet written by the version that made it.
EarlierVerification earlier_of(const nlohmann::json& json) {
  EarlierVerification earlier;
  earlier.by = "the verification of " + json.value("started", std::string("an unknown time"));
  for (const nlohmann::json& head : json.value("heads", nlohmann::json::array()))
    earlier.sources.push_back({{head.at("name").get<std::string>(), head.at("timeline").get<std::uint32_t>(),
                                head.at("sequence").get<std::uint64_t>(), head.at("checkpoint").get<std::uint64_t>()},
                               earlier.by});
  earlier.key_slots = json.value("key_slot_names", std::vector<std::string>());
  return earlier;
}

bool has(const std::vector<std::string>& all, const std::string& one) {
  return std::ranges::find(all, one) != all.end();
}

std::string kind_of(const std::string& slot) { return slot.substr(0, slot.find('-')); }

Result<bool> stands(storage::ReadStore& store, const std::string& object) {
  const auto info = store.head(object);
  if (info.has_value()) return true;
  if (info.error().kind() == ErrorKind::kNotFound) return false;
  return info.error();
}

}  // namespace

Result<EarlierVerification> read_earlier_verification(storage::ReadStore& store,
                                                      const storage::Repository& repository) {
  ASSIGN_OR_RETURN(const auto ids, storage::list_records(store, "verify"));
  for (std::size_t i = ids.size(); i-- > 0 && ids.size() - i <= kRecordsTried;) {
    const auto text = storage::read_record(store, repository, "verify", ids[i]);
    if (!text && retry_class(text.error().kind()) == RetryClass::kRetry) return text.error();
    if (!text) continue;  // told where the records are read
    const auto json = nlohmann::json::parse(*text, nullptr, false);
    if (!json.is_object()) continue;
    try {
      return earlier_of(json);
    } catch (const nlohmann::json::exception&) {
      continue;
    }
  }
  return EarlierVerification();
}

Status compare_with(const Sighting& sighting, storage::ReadStore& store, const SourceState& state,
                    VerifyReport& report) {
  const SeenSource& seen = sighting.seen;
  const std::uint64_t ordinal = state.checkpoint_ordinal;
  if (seen.checkpoint > ordinal) {
    report.add_bad(storage::layout::checkpoint(state.source, ordinal + 1),
                   fmt::format("{} checkpoints from here on are missing: {} saw number {}", seen.checkpoint - ordinal,
                               sighting.by, seen.checkpoint),
                   "copy them from a mirror before anything is expired; while capture runs, its next one makes up for "
                   "what the log itself tells");
  }
  const auto head = state.head ? std::pair(state.head->timeline.value, state.head->sequence)
                               : std::pair(std::uint32_t{0}, std::uint64_t{0});
  if (seen.timeline == 0 || std::pair(seen.timeline, seen.sequence) <= head) return {};
  // The newest entry keeps its own name for ever. A damaged one is named where it is read.
  const std::string newest = storage::layout::log_entry(state.source, TimelineId{seen.timeline}, seen.sequence);
  ASSIGN_OR_RETURN(const bool there, stands(store, newest));
  if (there) return {};
  const bool same = seen.timeline == head.first;
  const std::uint64_t first = same ? head.second + 1 : 0;
  report.add_bad(storage::layout::log_entry(state.source, TimelineId{seen.timeline}, first),
                 fmt::format("the newest {} log entries, from here on, are missing: {} saw entry {} of timeline {}",
                             seen.sequence + 1 - first, sighting.by, seen.sequence, seen.timeline),
                 std::string(kLostEntriesAdvice));
  return {};
}

void compare_with_bases(const SourceState& state, VerifyReport& report) {
  if (!state.head || state.timelines.empty()) return;
  for (const storage::BaseInfo& base : state.timelines.back().bases) {
    if (base.timeline != state.head->timeline || base.offset <= state.head->entry.last) continue;
    report.add_bad(storage::layout::log_entry(state.source, base.timeline, state.head->sequence + 1),
                   fmt::format("the newest log entries, from here on, are missing: base {} stands at {}, and the log "
                               "ends at {}",
                               base.name, base.offset.value, state.head->entry.last.value),
                   std::string(kLostEntriesAdvice));
    return;
  }
}

void compare_sources(const std::vector<Sighting>& sightings, const std::vector<std::string>& sources,
                     VerifyReport& report) {
  for (const Sighting& sighting : sightings) {
    const std::string& name = sighting.seen.name;
    // Copies of replaced targets go when their time is over.
    if (has(sources, name) || name.starts_with("safety/")) continue;
    report.add_bad(storage::layout::source_prefix(name),
                   fmt::format("nothing of this source is left: {} saw it", sighting.by),
                   "copy it from a mirror (anclora mirror with the two exchanged)");
    if (std::ranges::find(report.heads, name, &SeenSource::name) == report.heads.end())
      report.heads.push_back(sighting.seen);
  }
}

Status compare_key_slots(const EarlierVerification& earlier, storage::ReadStore& store, VerifyReport& report) {
  ASSIGN_OR_RETURN(const auto removed, storage::list_records(store, "key-remove"));
  const std::vector<std::string> present = report.key_slots;
  const auto is_new = [&](const std::string& slot) { return !has(earlier.key_slots, slot); };
  for (const std::string& slot : earlier.key_slots) {
    if (has(present, slot) || has(removed, slot)) continue;
    report.add_bad("keys/" + slot, fmt::format("it is missing: {} saw it, and nobody removed it", earlier.by),
                   kind_of(slot) == "recovery"
                       ? "the recovery key that was printed no longer opens the repository: make "
                         "a new one with anclora key add --recovery"
                       : "its passphrase no longer opens the repository: anclora key add");
    const bool replaced = std::ranges::any_of(
        present, [&](const std::string& other) { return kind_of(other) == kind_of(slot) && is_new(other); });
    if (!replaced) report.key_slots.push_back(slot);
  }
  return {};
}

}  // namespace anclora::protect
