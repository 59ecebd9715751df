// Which server can load which RDB. Sources: RDB_VERSION in rdb.h of each release; release notes of Redis 8 and
// Valkey 9.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "redis/client/info.h"
#include "redis/rdb/rdb_format.h"

namespace anclora::redis {

// Whose version a version is: Redis and Valkey number theirs apart.
struct Product {
  bool valkey = false;
  Version version;
  std::string to_string() const;  // "Redis 7.0.15", "Valkey 8.1.1"
};

// Nothing when INFO does not tell.
std::optional<Product> product_of(const Info& server);
// Who saved an RDB, by its version and by the one that it names in its AUX fields, "8.1.1".
std::optional<Product> product_of(const RdbMagic& magic, std::string_view saved_by);

// `version` as a base has it: 80 and more is Valkey's own.
RdbMagic rdb_magic_of(unsigned version);

// The RDB that it saves, which is the newest that it loads: a newer Redis than we know loads at least the newest that
// we know. Version 0 for a Redis before 2.6.
RdbMagic newest_rdb_of(const Product& product);
// False: of a release that we do not know, and only the server itself can say whether it loads it.
bool is_known_rdb(const RdbMagic& magic);
bool loads_rdb(const Product& product, const RdbMagic& magic);

}  // namespace anclora::redis
