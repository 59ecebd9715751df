// Making packs: capture feeds what it has just published; about a minute of it becomes one object.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/random.h"
#include "storage/journal/stream_index.h"
#include "storage/repository/log_writer.h"
#include "storage/repository/source_state.h"

namespace anclora::storage {

inline constexpr Duration kPackAge = std::chrono::seconds(60);
// A pack is closed when the sealed entries in it reach this: with one more of kMaxEntryBytes it stays below 64 MiB.
inline constexpr std::uint64_t kPackCloseBytes = 46 * kMiB;

// One thread. The pack grows in a file in `folder` (which is this builder's alone; what an earlier run left there is
// removed), so memory stays flat. A pack holds entries of one timeline, in order.
class PackBuilder {
 public:
  PackBuilder(AppendStore& store, const Repository& repository, FileSystem& files, std::string folder,
              std::string source, Random& random, Duration age = kPackAge);
  ~PackBuilder();

  // Takes a published entry; it must follow the one before it (kInternal). kFailedPrecondition when the pack is due for
  // another reason than its age: close it first.
  Status add(const SealedEntry& entry, MonoTime now);
  // The same for an entry read back from the store or the outbox: `object` as stored and as it opened.
  Status add(const std::string& object_name, ByteView object, const OpenedEntry& opened, MonoTime now);
  bool empty() const;
  // Old or large enough, or its timeline was closed.
  bool due(MonoTime now) const;
  // Ends the pack and puts it; a taken name is adopted when it holds the same entries (else kDataLoss). `index` is
  // that of exactly these entries (StreamIndexBuilder::take()); its lines are filled in when it has none.
  // kUnavailable, kDeadlineExceeded: call it again. Any other error: discard() and rebuild from the store.
  // The PackInfo goes into a checkpoint: only then the pack counts.
  Result<PackInfo> close(StreamIndex index);
  void discard();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// An entry behind the packs, read back from the store.
struct UnpackedEntry {
  std::string object_name;
  Bytes object;
  OpenedEntry opened;
  LogEntry entry;  // with its bytes
};
// After a restart: hands out every entry that no pack of `state` holds, oldest first, timeline by timeline, so that
// capture can feed its index builder and a PackBuilder, closing packs as they fall due.
Status for_each_unpacked(ReadStore& store, const Repository& repository, const SourceState& state,
                         const std::function<Status(const UnpackedEntry&)>& visit);

}  // namespace anclora::storage
