// A second copy of a repository elsewhere, itself restorable. Objects are copied as they are: sealed, same names.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "storage/store/store.h"

namespace anclora::storage {

// The newest log entry of a source that a pass saw.
struct MirroredEntry {
  std::uint32_t timeline = 0;
  std::uint64_t sequence = 0;
  friend bool operator==(const MirroredEntry&, const MirroredEntry&) = default;
};

struct MirrorProgress {
  std::uint64_t objects_copied = 0;
  std::uint64_t bytes_copied = 0;
  std::uint64_t objects_present = 0;
  std::uint64_t objects_compared = 0;           // byte by byte, of those present
  WallTime as_of;                               // the copy is complete as of this, by the clock of `from`
  std::map<std::string, MirroredEntry> newest;  // by source
};

struct MirrorOptions {
  // Objects never change, so one that has its size is taken for right; damage, or another object of the same size, is
  // noticed only when its bytes are compared: all that is there is read from both sides.
  bool checksum = false;
  // How often within a pass it is asked whether the copy was promoted meanwhile.
  Duration role_every = std::chrono::seconds(5);
  std::function<bool()> stop;  // asked between objects
};

// One pass: copies what `to` lacks, in an order that keeps `to` restorable at every moment: what a checkpoint names
// before the checkpoint. kFailedPrecondition: `to` is a repository of its own or was promoted; kDataLoss: different
// bytes under one name (nothing is overwritten). One pass writes nothing any more `role_every` after a promotion.
Result<MirrorProgress> mirror_once(ReadStore& from, AppendStore& to, Clock& clock, const MirrorOptions& options);

// The mark of a mirror in its store: it is read-only for capture until promoted.
enum class MirrorRole : std::uint8_t { kNotAMirror, kMirror, kPromoted };
Result<MirrorRole> mirror_role(ReadStore& store);
// kFailedPrecondition unless the store is a mirror that was not promoted.
Status promote_mirror(AppendStore& store, Clock& clock);

}  // namespace anclora::storage
