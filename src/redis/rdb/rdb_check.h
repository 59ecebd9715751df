// `anclora rdb check FILE`: is this RDB whole, and what is in it?
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "redis/rdb/rdb_format.h"
#include "redis/rdb/rdb_reader.h"

namespace anclora::redis {

struct RdbDatabaseCount {
  std::uint64_t keys = 0;
  std::uint64_t expires = 0;          // of them, with a time to live
  std::uint64_t already_expired = 0;  // of those, in the past: a start-up load drops them, a replica keeps them
};

struct RdbReport {
  RdbMagic magic;
  RdbAux aux;
  std::uint64_t size_bytes = 0;  // up to and with the checksum, or up to the problem
  RdbChecksum checksum = RdbChecksum::kNone;
  std::map<std::uint64_t, RdbDatabaseCount> databases;
  std::map<std::string, std::uint64_t> keys_by_type;
  std::uint64_t functions = 0;
  std::vector<std::string> modules;
  std::uint64_t hashes_with_field_expiries = 0;
  // Nothing: structure and checksum are right. kDataLoss or kUnsupported otherwise; the counts go up to that place.
  std::optional<Error> problem;

  std::uint64_t keys() const;
};

// Reads `input` to its end. Fails only when it cannot be read; bad bytes are a report with a problem.
Result<RdbReport> check_rdb(ByteSource& input, WallTime now);

}  // namespace anclora::redis
