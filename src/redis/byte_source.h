// Bytes that come in order and are read once: an RDB, a piece of stream, whatever they stand in.
#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "base/result.h"

namespace anclora::redis {

// One thread at a time.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Appends at least one and at most `limit` bytes to `out` and answers how many; 0 at the end.
  virtual Result<std::size_t> read_some(Bytes& out, std::size_t limit) = 0;
};

// Bytes in memory, which outlive it.
class MemoryByteSource final : public ByteSource {
 public:
  explicit MemoryByteSource(ByteView bytes) : rest_(bytes) {}
  Result<std::size_t> read_some(Bytes& out, std::size_t limit) override {
    const ByteView taken = rest_.substr(0, limit);
    out.append(taken);
    rest_.remove_prefix(taken.size());
    return taken.size();
  }

 private:
  ByteView rest_;
};

}  // namespace anclora::redis
