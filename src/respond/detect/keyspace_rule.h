// What must hold in a keyspace that is in order: how many keys a pattern has, of which type, with or without expiry.
// The same rules judge a live Redis (a probe), a restored one (redis.verify) and a moment in the past (bisect).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace anclora::redis {
class Client;
}

namespace anclora::respond {

enum class Expiry : std::uint8_t { kAny, kRequired, kForbidden };

struct KeyspaceRule {
  std::string id;
  std::string pattern;  // a glob as of SCAN MATCH
  std::uint32_t database = 0;
  std::optional<std::uint64_t> keys;  // how many there should be,
  double tolerance_percent = 0;       // give or take
  std::optional<std::uint64_t> at_least, at_most;
  std::string type;  // "hash", "string", ...; empty: any
  Expiry expiry = Expiry::kAny;
  std::vector<std::string> fields;  // of a hash: each must be there (implies type hash)
};

struct Violation {
  std::string rule;
  std::string message;                // "12 of 340 keys are not hashes, such as bull:q:17 (string)"
  std::uint64_t keys = 0;             // how many keys are wrong, where keys can be
  std::vector<std::string> examples;  // at most 5, control characters escaped
};

struct KeyspaceLimits {
  std::uint64_t scanned_keys = 50'000'000;  // give up beyond
  std::uint32_t batch = 1000;               // SCAN COUNT: what the server does at a time
};

// Scans once per rule; a key that SCAN names twice counts once only when it appears within one answer, so a live and
// resizing keyspace may be overcounted a little: give counts a tolerance there. Violations in the order of the rules,
// none: all is in order. Errors: of the connection; kResourceExhausted beyond the limits; kDeadlineExceeded.
Result<std::vector<Violation>> check_keyspace(redis::Client& client, const std::vector<KeyspaceRule>& rules,
                                              Clock& clock, MonoTime deadline, KeyspaceLimits limits = {});

}  // namespace anclora::respond
