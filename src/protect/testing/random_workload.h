// Random writes over all of Redis's types, with Lua, functions, MULTI, expiries and several databases.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "redis/client/client.h"

namespace anclora::protect {

class RandomWorkload {
 public:
  explicit RandomWorkload(std::uint64_t seed) : random_(seed) {}
  // Sends `count` random commands (some of them in transactions) over `client`; error replies are part of it.
  void run(redis::Client& client, int count);

 private:
  using Command = std::vector<std::string>;
  Command next();
  Command next_collection();
  Command next_other();
  std::string key(const char* type);
  std::string value();
  std::string number(std::uint64_t bound) { return std::to_string(random_.below(bound)); }

  SeededRandom random_;
};

}  // namespace anclora::protect
