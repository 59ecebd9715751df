// A journal on disk: hash-chained JSON lines in segments. A segment is created once and appended to by one writer; what
// a kill left of its last line is cut by the segment after it. docs/formats/run-journal.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "respond/runbook/chained_line.h"

namespace anclora::respond {

inline constexpr std::uint64_t kMaxJournalBytes = 64 * kMiB;  // of all segments
inline constexpr std::uint64_t kMaxSegments = 10'000;

// How far a chain was read.
struct ChainEnd {
  Hash256 tip{};  // of the last line; zeros when there is none
  std::uint64_t count = 0;
  std::uint64_t segments = 0;  // how many segment files there are
  std::uint64_t bytes = 0;
  std::uint64_t torn_bytes = 0;  // cut at the ends of segments
};

// Given each line as it stands there; its error stops the reading and is told with file and line.
using TakeLine = std::function<Status(DecodedLine&& decoded, std::string_view line)>;

// "<folder>/journal-000001.jsonl".
std::string segment_path(const std::string& folder, std::uint64_t segment);

// Reads and proves the segments after those that `end` counts. kDataLoss naming file and line, with `hint`, for
// anything but a torn end of a segment (bytes that a kill or a power cut left, without a whole JSON line in them).
Status read_chain(FileSystem& files, const std::string& folder, std::string_view hint, ChainEnd& end,
                  const TakeLine& take);

// Writes one segment. One thread at a time. After an error it must be abandoned.
class ChainWriter {
 public:
  // Creates the segment after `end`. kAlreadyExists when another writer was faster.
  static Result<std::unique_ptr<ChainWriter>> open(FileSystem& files, const std::string& folder, const ChainEnd& end);
  // Numbers and times the line, appends it, and syncs it.
  Status append(ChainedLine& line, std::string_view kind, WallTime now, bool sync = true);
  // The same for a line of another place's copy, byte for byte, before anything else was appended.
  Status adopt(const std::string& line, const Hash256& previous, const Hash256& hash, std::uint64_t number);
  Status sync();  // after adopt()

  const Hash256& tip() const { return tip_; }
  const std::string& last_line() const { return last_line_; }

 private:
  ChainWriter() = default;
  Status write(std::string line, bool sync);

  std::unique_ptr<WritableFile> file_;
  std::string path_;
  std::uint64_t number_ = 0;
  std::uint64_t bytes_ = 0;  // of all segments: what is written here must be readable
  Hash256 tip_{};
  std::string last_line_;
};

}  // namespace anclora::respond
