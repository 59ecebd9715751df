// What capture says of itself: for progress lines, metrics and the daemon. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "redis/offset.h"
#include "storage/journal/position.h"

namespace anclora::protect {

enum class LinkState : std::uint8_t {
  kStarting,    // reading the repository, taking the log
  kConnecting,  // dialling, handshake, waiting for the source to save
  kFullSync,    // the base comes
  kStreaming,
  kWaiting,       // cut: waits before it tries again
  kPaused,        // neither store nor outbox takes more: left the source until one does
  kCannotKeepUp,  // full synchronisations again and again: waits for minutes
  kStopped,
};
// "streaming", "full sync", ...: stable, used in --json and metrics.
std::string_view to_string(LinkState state);

struct CaptureStatus {
  std::string source;
  std::string source_url;  // without secrets
  LinkState link = LinkState::kStarting;
  std::string link_detail;                     // why it waits; empty when all is well
  std::optional<redis::Offset> source_offset;  // as last told by the source
  redis::Offset received;
  std::optional<storage::Position> protected_up_to;  // nothing before the first base is complete
  WallTime protected_time;                           // receipt of its last byte
  std::uint64_t lag_bytes = 0;                       // source (or received) offset minus the protected one
  Duration lag_time{};                               // age of the oldest byte received and not protected
  bool base_complete = false;
  std::uint64_t base_received_bytes = 0;  // of the base that comes or waits
  std::uint64_t base_spooled_bytes = 0;

  bool store_away = false;
  std::uint64_t outbox_bytes = 0;
  std::uint64_t outbox_entries = 0;
  std::uint64_t outbox_limit_bytes = 0;

  std::uint64_t commands_received = 0;  // by this process
  std::uint64_t entries_published = 0;
  std::uint64_t stream_bytes_published = 0;
  std::uint64_t object_bytes_published = 0;
  std::uint64_t bases_published = 0;
  std::uint64_t packs_published = 0;
  std::uint64_t checkpoints_published = 0;
  std::uint64_t full_syncs = 0;
  std::uint64_t partial_syncs = 0;
  std::uint64_t store_failures = 0;
  Duration publish_time{};      // of the newest entry: receipt of its first byte to its acknowledgement by the store
  Duration publish_time_max{};  // the longest of those
  std::optional<WallTime> last_published;
  std::string last_error;  // the newest failure, also when mended since
  WallTime last_error_time;
};

}  // namespace anclora::protect
