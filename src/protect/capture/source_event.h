// What happens on the link to the source, in order, as the reader hands it to the encoder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/bytes.h"
#include "base/clock.h"
#include "redis/offset.h"
#include "redis/resp/command_parser.h"

namespace anclora::protect {

// Each attachment to the source has a number; an event of an attachment that was given up is ignored.
using Attachment = std::uint64_t;

// A full resynchronisation begins: the base comes next, then the stream after `offset`.
struct FullSyncBegan {
  std::string replid;
  redis::Offset offset;
  std::string reason;  // in a sentence: why what was there does not go on
};
struct BaseChunk {
  Bytes bytes;
};
struct BaseReceived {};
// The stream goes on where it stopped, under `replid` (a new one: the source was promoted).
struct StreamContinued {
  std::string replid;
};
// The source is a promoted replica that was behind us: its history is ours up to the parser's place, then differs.
struct StreamForked {
  std::string replid;
  redis::CommandParser at_fork;
  std::string reason;
};
struct StreamChunk {
  Bytes bytes;
  WallTime wall;
  MonoTime mono;
};
struct LinkLost {
  std::string reason;
};

struct SourceEvent {
  Attachment attachment = 0;
  std::variant<FullSyncBegan, BaseChunk, BaseReceived, StreamContinued, StreamForked, StreamChunk, LinkLost> what;
};

}  // namespace anclora::protect
