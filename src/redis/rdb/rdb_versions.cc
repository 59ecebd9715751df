#include "redis/rdb/rdb_versions.h"

#include <array>

namespace anclora::redis {
namespace {

struct Step {
  Version since;
  unsigned rdb;
};

constexpr std::array<Step, 11> kRedis = {{{{2, 4, 0}, 5},
                                          {{2, 6, 0}, 6},
                                          {{3, 2, 0}, 7},
                                          {{4, 0, 0}, 8},
                                          {{5, 0, 0}, 9},
                                          {{7, 0, 0}, 10},
                                          {{7, 2, 0}, 11},
                                          {{7, 4, 0}, 12},
                                          {{8, 6, 0}, 13},
                                          {{8, 8, 0}, 14},
                                          {{8, 10, 0}, 15}}};
constexpr unsigned kLastCommonVersion = 11;  // later ones differ between Redis and Valkey under the same number
constexpr unsigned kFirstOfValkey = 80;
constexpr Version kOwnRdbOfValkey{9, 0, 0};
constexpr Version kFirstValkeyAfterRedis{8, 0, 0};  // Valkey 7.2 is Redis 7.2 in all that matters here

}  // namespace

std::string Product::to_string() const { return (valkey ? "Valkey " : "Redis ") + version.to_string(); }

std::optional<Product> product_of(const Info& server) {
  if (const auto valkey = server.valkey_version()) return Product{true, *valkey};
  if (const auto redis = server.redis_version()) return Product{false, *redis};
  return std::nullopt;
}

std::optional<Product> product_of(const RdbMagic& magic, std::string_view saved_by) {
  const auto version = Version::parse(saved_by);
  if (!version) return std::nullopt;
  // A Redis of that version saves a newer RDB.
  const bool early_valkey = magic.version <= kLastCommonVersion && *version >= kFirstValkeyAfterRedis;
  return Product{magic.valkey || early_valkey, *version};
}

RdbMagic rdb_magic_of(unsigned version) { return {.valkey = version >= kFirstOfValkey, .version = version}; }

RdbMagic newest_rdb_of(const Product& product) {
  if (product.valkey) return rdb_magic_of(product.version >= kOwnRdbOfValkey ? kFirstOfValkey : kLastCommonVersion);
  unsigned newest = 0;
  for (const Step& step : kRedis)
    if (product.version >= step.since) newest = step.rdb;
  return {.valkey = false, .version = newest};
}

bool is_known_rdb(const RdbMagic& magic) {
  return magic.version <= (magic.valkey ? kFirstOfValkey : kRedis.back().rdb);
}

bool loads_rdb(const Product& product, const RdbMagic& magic) {
  const RdbMagic newest = newest_rdb_of(product);
  if (magic.valkey) return newest.valkey && magic.version <= newest.version;
  return magic.version <= (newest.valkey ? kLastCommonVersion : newest.version);
}

}  // namespace anclora::redis
