// Which server can load which RDB. Sources: RDB_VERSION in rdb.h of each release; release notes of Redis 8 and
// Valkey 9.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "redis/client/info.h"
#include "redis/rdb/rdb_format.h"

namespace anclora::redis {

// The newest RDB version that a Redis of this version loads: a newer Redis than we know loads at least the newest that
// we know. 0 for one before 2.6.
unsigned newest_rdb_of_redis(const Version& version);
// The same for a Valkey: 11 before Valkey 9; from then on 80 in its own numbering, and Redis's up to 11.
unsigned newest_rdb_of_valkey(const Version& version);

// kFailedPrecondition, naming both, when the server whose INFO this is cannot load such an RDB.
Status check_rdb_loads(const RdbMagic& magic, const Info& server);

}  // namespace anclora::redis
