#include "redis/rdb/rdb_versions.h"

#include <fmt/format.h>

#include <array>

namespace anclora::redis {
namespace {

struct Step {
  Version since;
  unsigned rdb;
};

constexpr std::array<Step, 9> kRedis = {{{{2, 6, 0}, 6},
                                         {{3, 2, 0}, 7},
                                         {{4, 0, 0}, 8},
                                         {{5, 0, 0}, 9},
                                         {{7, 0, 0}, 10},
                                         {{7, 2, 0}, 11},
                                         {{7, 4, 0}, 12},
                                         {{8, 6, 0}, 13},
                                         {{8, 8, 0}, 14}}};
constexpr Step kRedisNewest{{8, 10, 0}, 15};
constexpr unsigned kLastCommonVersion = 11;  // later ones differ between Redis and Valkey under the same number

}  // namespace

unsigned newest_rdb_of_redis(const Version& version) {
  if (version >= kRedisNewest.since) return kRedisNewest.rdb;
  unsigned rdb = 0;
  for (const Step& step : kRedis)
    if (version >= step.since) rdb = step.rdb;
  return rdb;
}

unsigned newest_rdb_of_valkey(const Version& version) { return version >= Version{9, 0, 0} ? 80 : kLastCommonVersion; }

Status check_rdb_loads(const RdbMagic& magic, const Info& server) {
  const auto valkey = server.valkey_version();
  const auto redis = server.redis_version();
  if (!valkey && !redis)
    return Error(ErrorKind::kFailedPrecondition, "the target does not tell its version",
                 "INFO must be permitted to the user that signs in");
  bool loads = false;
  if (valkey)
    loads = magic.valkey ? magic.version <= newest_rdb_of_valkey(*valkey) && *valkey >= Version{9, 0, 0}
                         : magic.version <= kLastCommonVersion;
  else
    loads = !magic.valkey && magic.version <= newest_rdb_of_redis(*redis);
  if (loads) return {};
  return Error(ErrorKind::kFailedPrecondition, fmt::format("{} cannot load {}", server.product(), magic.to_string()),
               "restore into a server of the source's version or a later one of the same kind");
}

}  // namespace anclora::redis
