// Checks the log of one timeline: what its entries and packs say about each other.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "protect/verify/verify_report.h"
#include "storage/repository/source_state.h"
#include "storage/store/store.h"

namespace anclora::protect {

// What is known of one entry, wherever it was read.
struct ChainLink {
  Hash256 hash{};
  Hash256 predecessor{};
};

// One thread. Feed it every entry and pack of a timeline that is there (read or not), then finish().
class LogCheck {
 public:
  LogCheck(storage::ReadStore& store, const storage::Repository& repository, const storage::SourceState& state,
           const storage::TimelineState& timeline, VerifyReport& report);

  // There, by its name in the listing.
  void note_entry(std::uint64_t sequence) { present_.insert_or_assign(sequence, sequence); }
  void note_pack(std::uint64_t first, std::uint64_t last);
  // Reads and judges it. Errors: only those of a store that is away.
  Status check_entry(const std::string& object, std::uint64_t sequence);
  // A pack that no checkpoint names counts for nothing, unless it is `recent`: its checkpoint may be on the way.
  Status check_pack(const storage::ObjectInfo& object, bool recent, std::uint64_t first, std::uint64_t last);
  // The chain over all that was read, and holes by name.
  void finish();

 private:
  Status read_pack(const std::string& object, std::uint64_t object_bytes, std::map<std::uint64_t, ChainLink>& links);
  void judge_pack(const std::string& object, bool recent, std::uint64_t first, std::uint64_t last,
                  const std::map<std::uint64_t, ChainLink>& links);
  void remember(const std::string& object, std::uint64_t sequence, const ChainLink& link);
  void check_holes();
  void check_packs();

  storage::ReadStore& store_;
  const storage::Repository& repository_;
  const storage::SourceState& state_;
  const storage::TimelineState& timeline_;
  VerifyReport& report_;
  std::map<std::uint64_t, std::uint64_t> present_;  // first -> last sequence of what is there
  std::set<std::uint64_t> packs_;                   // first sequences of the packs that are there and count
  std::map<std::uint64_t, ChainLink> links_;        // of what was read
};

// For all of verify: turns an error of reading one object into a line of the report. kUnavailable, kDeadlineExceeded,
// kPermissionDenied and kCancelled are handed back: they say nothing about the object. kNotFound is passed over: expire
// removed it between the listing and the reading, and what must be there is checked by name.
Status judge_read(VerifyReport& report, const std::string& object, const Status& status, const std::string& advice);

}  // namespace anclora::protect
