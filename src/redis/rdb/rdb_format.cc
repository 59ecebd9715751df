#include "redis/rdb/rdb_format.h"

#include "base/whole_number.h"

namespace anclora::redis {

std::string RdbMagic::to_string() const { return (valkey ? "Valkey RDB " : "RDB ") + std::to_string(version); }

Result<RdbMagic> parse_rdb_magic(ByteView bytes) {
  const auto bad = [] {
    return Error(ErrorKind::kDataLoss, "not an RDB file: it does not begin with REDIS or VALKEY and a version");
  };
  if (bytes.size() != kRdbMagicSize) return bad();
  RdbMagic magic;
  magic.valkey = bytes.starts_with("VALKEY");
  if (!magic.valkey && !bytes.starts_with("REDIS")) return bad();
  const auto version = whole_number<unsigned>(bytes.substr(magic.valkey ? 6 : 5));
  if (!version || *version == 0) return bad();
  magic.version = *version;
  return magic;
}

std::string_view rdb_type_name(std::uint8_t type) {
  switch (type) {
    case 0:
      return "string";
    case 1:
    case 10:
    case 14:
    case 18:
      return "list";
    case 2:
    case 11:
    case 20:
      return "set";
    case 3:
    case 5:
    case 12:
    case 17:
      return "zset";
    case 4:
    case 9:
    case 13:
    case 16:
    case 22:
    case 23:
    case 24:
    case 25:
      return "hash";
    case 6:
    case 7:
      return "module";
    case 15:
    case 19:
    case 21:
      return "stream";
    default:
      return "unknown";
  }
}

void RdbAux::set(std::string_view name, std::string_view value) {
  if (name == "redis-ver" || name == "valkey-ver") redis_version = value;
  if (name == "ctime") created_unix_seconds = whole_number<std::int64_t>(value);
  if (name == "used-mem") used_memory_bytes = whole_number<std::uint64_t>(value);
  if (name == "repl-stream-db") stream_database = whole_number<std::uint32_t>(value);
  if (name == "repl-id") replication_id = value;
  if (name == "repl-offset") {
    const auto offset = whole_number<std::uint64_t>(value);
    if (offset) replication_offset = Offset{*offset};
  }
  if (name == "aof-base" || name == "aof-preamble") aof_base = value == "1";
}

std::string_view to_string(RdbChecksum checksum) {
  switch (checksum) {
    case RdbChecksum::kVerified:
      return "verified";
    case RdbChecksum::kNotRecorded:
      return "not recorded";
    case RdbChecksum::kNone:
      return "none";
  }
  return "unknown";
}

}  // namespace anclora::redis
