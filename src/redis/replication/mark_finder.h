// Finds the 40 random bytes that end a diskless base ("$EOF:<mark>") in a stream of chunks, without copying the chunks.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/bytes.h"

namespace anclora::redis {

class MarkFinder {
 public:
  static constexpr std::size_t kMarkBytes = 40;
  using Emit = std::function<void(ByteView)>;

  explicit MarkFinder(std::string mark = {}) : mark_(std::move(mark)) {}

  // Calls `emit` with the bytes before the mark, in order; holds back at most 39 that may be its beginning. Answers
  // where in `chunk` the byte after the mark is (its size: the mark ends with it), or nothing while the mark has not
  // come. Views given to `emit` live until the next call.
  std::optional<std::size_t> feed(ByteView chunk, const Emit& emit);

 private:
  std::size_t held_suffix(ByteView bytes) const;

  std::string mark_;
  std::string held_;  // the end of what came: a beginning of the mark
  std::string seam_;  // held_ and the first bytes of the chunk
};

}  // namespace anclora::redis
