// Compresses what objects hold, frame by frame. Formats: docs/formats/object.md, command-frame.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "storage/journal/frame_unpacker.h"

namespace anclora::storage {

// One compressed frame: made once, and sealed again (not compressed again) when it moves into a pack.
struct CompressedFrame {
  Bytes bytes;
  std::uint32_t plain_bytes = 0;
};

enum class FrameTuning : std::uint8_t {
  // Commands repeat each other closely: what they have in common is said once in a frame (command-frame.md).
  kCommands,
  // The same for a repository whose readers know zstd's frames only: a small table of matches stays in the processor's
  // first cache, which is faster than zstd's level 1 on commands and packs them better.
  kCommandsByZstd,
  kAnything,  // level 1
};

// The body of a command frame that holds `plain`, until the next call; nullopt: zstd does better.
using BodyMaker = std::function<std::optional<ByteView>(ByteView plain)>;

// One thread. Each frame was decompressed again and compared (kDataLoss if it differed).
class FrameCompressor {
 public:
  explicit FrameCompressor(FrameTuning tuning);
  // With another maker than ours, which may err: what its bodies do not hold, zstd's frames do.
  FrameCompressor(FrameTuning tuning, BodyMaker make_body);
  ~FrameCompressor();
  // Frames of `frame_bytes` of plain (at most kFrameBytes), the last one of what is left; one frame of nothing.
  Result<std::vector<CompressedFrame>> compress(ByteView plain, std::size_t frame_bytes = kFrameBytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace anclora::storage
