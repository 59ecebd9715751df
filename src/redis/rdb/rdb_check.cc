#include "redis/rdb/rdb_check.h"

#include <fmt/format.h>

namespace anclora::redis {
namespace {

constexpr std::size_t kDatabasesLimit = 100'000;

std::int64_t unix_milliseconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

// False when the file names more databases than any server has.
bool count(const RdbKey& key, std::int64_t now_ms, RdbReport& report) {
  if (!report.databases.contains(key.database) && report.databases.size() >= kDatabasesLimit) return false;
  RdbDatabaseCount& database = report.databases[key.database];
  ++database.keys;
  if (key.expires_at_ms) ++database.expires;
  if (key.expires_at_ms && *key.expires_at_ms < now_ms) ++database.already_expired;
  if (key.has_field_expiries) ++report.hashes_with_field_expiries;
  ++report.keys_by_type[std::string(rdb_type_name(key.type))];
  return true;
}

}  // namespace

std::uint64_t RdbReport::keys() const {
  std::uint64_t sum = 0;
  for (const auto& [number, database] : databases) sum += database.keys;
  return sum;
}

Result<RdbReport> check_rdb(ByteSource& input, WallTime now) {
  RdbReport report;
  RdbReader reader(input);
  const std::int64_t now_ms = unix_milliseconds(now);
  while (true) {
    Result<std::optional<RdbKey>> key = reader.next();
    if (!key) {
      const ErrorKind kind = key.error().kind();
      if (kind != ErrorKind::kDataLoss && kind != ErrorKind::kUnsupported) return key.error();
      report.problem = key.error();
      break;
    }
    if (!key->has_value()) break;
    if (!count(**key, now_ms, report)) {
      report.problem = Error(ErrorKind::kDataLoss, "the RDB is damaged: it names more than 100000 databases");
      break;
    }
  }
  if (!report.problem) {
    ASSIGN_OR_RETURN(const bool more, reader.has_more());
    if (more)
      report.problem =
          Error(ErrorKind::kDataLoss, fmt::format("bytes follow the end of the RDB at byte {}", reader.offset()),
                "an AOF that begins with an RDB looks so; a dump.rdb does not");
  }
  report.magic = reader.magic();
  report.aux = reader.aux();
  report.checksum = reader.checksum();
  report.functions = reader.functions();
  report.modules = reader.modules();
  report.size_bytes = reader.offset();
  return report;
}

}  // namespace anclora::redis
