// What can be known about an RDB of any version from its bytes alone, while they pass: the magic, the AUX fields at its
// head, and whether the checksum that ends it is right. No parse of the data, so a version that is newer than us is no
// obstacle; memory stays flat whatever the bytes say.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "redis/rdb/rdb_format.h"

namespace anclora::redis {

struct RdbFacts {
  RdbMagic magic;
  RdbAux aux;
  std::uint64_t size_bytes = 0;
  RdbChecksum checksum = RdbChecksum::kNone;
  std::uint64_t checksum_value = 0;
};

// One thread at a time. Feed the whole file in any pieces, then finish() once.
class RdbSummary {
 public:
  // kDataLoss as soon as the first nine bytes are no magic; later calls answer the same.
  Status feed(ByteView bytes);

  // kDataLoss: shorter than an RDB can be, no end mark before the trailer, or another checksum than recorded.
  Result<RdbFacts> finish() const;

  // The AUX fields seen so far: complete once the head of the file has passed.
  const RdbAux& aux() const { return aux_; }
  std::optional<RdbMagic> magic() const { return magic_; }
  std::uint64_t fed_bytes() const { return fed_bytes_; }

 private:
  void read_head();

  Bytes head_;  // the first bytes, until the AUX fields end
  bool head_done_ = false;
  std::size_t head_read_ = 0;
  std::optional<RdbMagic> magic_;
  RdbAux aux_;
  std::uint64_t fed_bytes_ = 0;
  std::uint64_t crc_ = 0;  // of all but the last bytes, which wait in tail_
  Bytes tail_;             // the last 9 bytes fed: end mark and checksum, if this is the end
};

}  // namespace anclora::redis
