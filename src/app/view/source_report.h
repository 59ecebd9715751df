// What `status` and `history` say of a source: derived from its state, for people and as JSON. Fields: docs/json.md.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "storage/repository/source_state.h"

namespace anclora::app {

enum class LinkState : std::uint8_t { kLive, kCatchingUp, kNoLink, kLoadingBase, kStalled, kStopped };
std::string_view to_string(LinkState state);

struct LastVerification {
  WallTime time;
  bool passed = false;
};

struct SourceReport {
  std::string name;
  std::string url;
  LinkState link = LinkState::kStalled;
  Duration last_entry_age{};  // by the store's own clock: the dead-man rule
  redis::Offset source_offset;
  std::optional<storage::Position> protected_up_to;  // none: no complete base yet
  WallTime protected_time;
  std::uint64_t lag_bytes = 0;
  Duration lag{};
  std::vector<storage::RecoveryWindow> windows;
  std::vector<storage::GapRecord> gaps;
  std::optional<storage::BaseInfo> last_base;
  std::uint64_t replay_bytes = 0;  // from the base a restore of the newest point would use
  Duration expected_restore{};
  std::optional<LastVerification> last_verification;
  std::vector<storage::DamagedObject> damaged;  // what all this could be read without
  std::string source_trouble;       // what is wrong with the source by its own word, as last written; empty: nothing
  std::string first_thing_to_mend;  // empty: nothing
};

// A capture that wrote nothing for this long is stalled: signs of life come each 10 s.
inline constexpr Duration kStalledAfter = std::chrono::seconds(30);

// `store_now`: by the store's own clock.
SourceReport report_source(const storage::SourceState& state, WallTime store_now,
                           const std::optional<LastVerification>& last_verification);

// Its first_thing_to_mend: what can be done, the most urgent first.
std::string first_to_mend(const SourceReport& report);

nlohmann::ordered_json to_json(const SourceReport& report);
std::string to_text(const SourceReport& report, WallTime store_now);

// What a state that was loaded suffers from, damaged checkpoints first.
std::vector<storage::DamagedObject> damaged_objects(const storage::SourceState& state);
nlohmann::ordered_json to_json(const std::vector<storage::DamagedObject>& damaged);
// A line each, to be found by the object's name.
std::string to_text(const std::vector<storage::DamagedObject>& damaged);

// Timelines, bases and sizes (anclora history).
nlohmann::ordered_json history_json(const storage::SourceState& state);
std::string history_text(const storage::SourceState& state);

}  // namespace anclora::app
