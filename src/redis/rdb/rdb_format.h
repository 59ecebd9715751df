// What the readers of RDB files share: magic, opcodes, value types and the AUX fields that matter to us.
// Sources: rdb.h and rdb.c of Redis 7.0 to 8.0 and Valkey 8.0; for Valkey 9 (magic VALKEY080) its release notes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "redis/offset.h"

namespace anclora::redis {

inline constexpr std::size_t kRdbMagicSize = 9;
inline constexpr std::size_t kRdbChecksumSize = 8;

// "REDIS0011" or "VALKEY080".
struct RdbMagic {
  bool valkey = false;
  unsigned version = 0;
  // Version 5 brought the checksum.
  bool has_checksum() const { return valkey || version >= 5; }
  std::string to_string() const;  // "RDB 11", "Valkey RDB 80"
};
// `bytes` are the first nine of a file; kDataLoss when they are not such a magic.
Result<RdbMagic> parse_rdb_magic(ByteView bytes);

namespace rdb_opcode {
inline constexpr std::uint8_t kSlotImport = 243;  // Valkey 80; in Redis 13 another thing
inline constexpr std::uint8_t kSlotInfo = 244;
inline constexpr std::uint8_t kFunction = 245;
inline constexpr std::uint8_t kFunctionPreRelease = 246;
inline constexpr std::uint8_t kModuleAux = 247;
inline constexpr std::uint8_t kIdle = 248;
inline constexpr std::uint8_t kFrequency = 249;
inline constexpr std::uint8_t kAux = 250;
inline constexpr std::uint8_t kResizeDatabase = 251;
inline constexpr std::uint8_t kExpireMilliseconds = 252;
inline constexpr std::uint8_t kExpireSeconds = 253;
inline constexpr std::uint8_t kSelectDatabase = 254;
inline constexpr std::uint8_t kEnd = 255;
}  // namespace rdb_opcode

// "string", "list", "set", "zset", "hash", "stream", "module"; "unknown" for a type that this version does not know.
std::string_view rdb_type_name(std::uint8_t type);

// The AUX fields at the head of a file. repl-* are there only when the saver had a backlog.
struct RdbAux {
  std::string redis_version;                         // redis-ver or valkey-ver
  std::optional<std::int64_t> created_unix_seconds;  // ctime
  std::optional<std::uint64_t> used_memory_bytes;    // used-mem
  std::optional<std::uint32_t> stream_database;      // repl-stream-db, the database in force; absent for -1
  std::string replication_id;                        // repl-id
  std::optional<Offset> replication_offset;          // repl-offset
  bool aof_base = false;                             // aof-base
  // Fields that are none of the above, or that do not parse, are passed over.
  void set(std::string_view name, std::string_view value);
};

enum class RdbChecksum : std::uint8_t {
  kVerified,
  kNotRecorded,  // 0 in the file: rdbchecksum was off when it was saved; nothing is known about its bytes
  kNone,         // a version before 5
};
std::string_view to_string(RdbChecksum checksum);

}  // namespace anclora::redis
