// Random writes of every kind that a Redis 7 replicates: all types, several databases, MULTI, scripts, expiries, moves.
#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "redis/testing/redis_server.h"

namespace anclora::redis {

// `count` commands for one connection, in order (SELECT and MULTI … EXEC among them). Some of them answer with an error
// (a wrong type), as in life. No key expires within an hour.
std::vector<std::vector<std::string>> random_commands(Random& random, std::size_t count, unsigned databases = 4);

// Runs them on a server; throws when the connection fails.
void run_random_commands(const RedisServer& server, Random& random, std::size_t count, unsigned databases = 4);

}  // namespace anclora::redis
