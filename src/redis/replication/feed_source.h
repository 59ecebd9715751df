// What a Feeder serves: a base and the stream after it, in an offset space of its own.
//
// Rules for an implementation, each closing a hole:
// - The target counts exactly the bytes that open_stream() yields from base_offset() on, so base_offset() is chosen
// such
//   that the end has the offset that the target shall hold at the end. Nothing is ever inserted by the feeder.
// - The stream begins with an explicit SELECT: otherwise the AUX field repl-stream-db of the base decides.
// - It ends outside MULTI, at the end of a command.
// - PUBLISH __sentinel__:hello is not in it, or the target's Sentinels meet the source's.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "redis/byte_source.h"
#include "redis/offset.h"

namespace anclora::redis {

// The methods are called by one thread at a time; what they return is read by another, one reader at a time, and never
// outlives the source. May be asked again and again: a target that lost its link resumes or starts over.
class FeedSource {
 public:
  virtual ~FeedSource() = default;
  // The exact size of what open_base() yields.
  virtual std::uint64_t base_size_bytes() const = 0;
  // The offset that the base stands for.
  virtual Offset base_offset() const = 0;
  virtual Result<std::unique_ptr<ByteSource>> open_base() = 0;
  // The stream from the byte after `after` (at least base_offset()) to the end.
  virtual Result<std::unique_ptr<ByteSource>> open_stream(Offset after) = 0;
};

}  // namespace anclora::redis
