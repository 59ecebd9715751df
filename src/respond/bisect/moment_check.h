// The question that bisect asks of a moment, and redis.verify of a restored server: keyspace rules, or a program of the
// user's own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/result.h"
#include "redis/client/redis_url.h"
#include "respond/bisect/bisection.h"
#include "respond/detect/keyspace_rule.h"

namespace anclora::redis {
class Client;
}

namespace anclora::respond {

// "bull:q:* type=hash at-least=100 fields=name,data db=0 keys=340 tolerance=5% at-most=N expiry=required|forbidden".
// Words in any order after the pattern. kInvalidArgument names the word that is wrong.
Result<KeyspaceRule> parse_keyspace_rule(std::string_view text);

struct MomentCheck {
  std::vector<KeyspaceRule> rules;
  std::vector<std::string> program;  // argv; run after the rules hold
  Duration timeout = std::chrono::minutes(5);
};

struct CheckAnswer {
  Judgement judgement = Judgement::kGood;
  std::string said;  // the first violation, or the program's last line
};

// Rules first: bad at the first violation. Then the program, with ANCLORA_CHECK_URL (a redis:// or unix:// URL),
// ANCLORA_CHECK_SOCKET (of a unix:// URL) and REDISCLI_AUTH in its environment: exit 0 is good, 125 is "cannot tell"
// (kFailedPrecondition), 126 and more or a signal is a broken check (kFailedPrecondition), everything else is bad.
Result<CheckAnswer> ask(const MomentCheck& check, redis::Client& client, const std::string& work_directory,
                        FileSystem& files, Clock& clock);

}  // namespace anclora::respond
