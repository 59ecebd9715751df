#include "plan/import/paper_rules.h"

namespace anclora::plan {
namespace {

constexpr auto kError = Severity::kError;
constexpr auto kWarning = Severity::kWarning;

bool redis(const CommandContext& c) { return c.command().is({"redis-cli"}); }
bool redis_word(const CommandContext& c, std::string_view upper) {
  if (!redis(c)) return false;
  const std::string low = lower_case(upper);
  for (const std::string& word : c.command().words)
    if (lower_case(word) == low) return true;
  return false;
}

}  // namespace

bool is_false_restore(const CommandContext& c) {
  const ShellCommand& command = c.command();
  const std::string file = command.option("--rdb");
  if (!command.is({"redis-cli"}) || file.empty()) return false;
  const auto fetched = [&](const ShellCommand& earlier) {
    return earlier.is({"aws", "s3", "cp"}) && earlier.contains("s3://") && earlier.words.size() > 4 &&
           earlier.words[3].starts_with("s3://");
  };
  return c.any_before(fetched) || has_word(command.comment, {"restor", "restaur", "recover"});
}

std::vector<CommandRule> redis_rules() {
  return {
      {"redis.rdb_downloads", kError, is_false_restore,
       "redis-cli --rdb downloads from the server: it restores nothing, and overwrites the file with what the (empty) "
       "server holds",
       "use redis.restore, or serve the file to the server as its primary: anclora restore --to"},
      {"redis.rdb_copy_forks", kWarning,
       [](const CommandContext& c) { return redis(c) && !c.command().option("--rdb").empty() && !is_false_restore(c); },
       "this copy forks the server, and managed services refuse it",
       "use redis.evidence: the repository has the state already"},
      {"redis.flushall", kError,
       [](const CommandContext& c) { return redis_word(c, "FLUSHALL") || redis_word(c, "FLUSHDB"); },
       "FLUSHALL cannot be taken back, reaches replicas and AOF, and empties dump.rdb where save points are set",
       "never empty a server in place: restore to a new one beside it, verify, then switch"},
      {"redis.ping_as_proof", kWarning, [](const CommandContext& c) { return redis_word(c, "PING"); },
       "PING hangs on a hung host, exits 0 on NOAUTH, and answers PONG when no write is possible",
       "probe with deadlines, ROLE and a write, from several vantage points: probe.redis with write: true"},
      {"redis.config_set_not_persisted", kError,
       [](const CommandContext& c) {
         return redis_word(c, "CONFIG") && redis_word(c, "SET") &&
                !c.any([](const ShellCommand& other) { return has_word(lower_case(other.text), {"config rewrite"}); });
       },
       "CONFIG SET is lost at the next restart",
       "write it into the configuration file, or CONFIG REWRITE and check the file"},
      {"redis.config_get_as_proof", kWarning,
       [](const CommandContext& c) { return redis_word(c, "CONFIG") && redis_word(c, "GET"); },
       "CONFIG GET shows the wish, not the state",
       "look at INFO persistence: aof_enabled, aof_last_write_status, aof_last_bgrewrite_status"},
      {"redis.bgsave_not_awaited", kError,
       [](const CommandContext& c) {
         return redis_word(c, "BGSAVE") && !c.any([](const ShellCommand& other) {
           return has_word(lower_case(other.text), {"rdb_bgsave_in_progress"});
         });
       },
       "BGSAVE returns at once and nothing waits for its end or its status",
       "poll INFO persistence until rdb_bgsave_in_progress is 0 and rdb_last_bgsave_status is ok"},
      {"redis.lastsave_as_proof", kError, [](const CommandContext& c) { return redis_word(c, "LASTSAVE"); },
       "LASTSAVE answers at once with the time of the save before",
       "remember the time first, and wait until LASTSAVE is later"},
      {"redis.dbsize_as_proof", kWarning, [](const CommandContext& c) { return redis_word(c, "DBSIZE"); },
       "a number of keys proves nothing without the number that there should be",
       "compare with the recovery point: redis.verify with invariants"},
      {"redis.llen_as_proof", kWarning, [](const CommandContext& c) { return redis_word(c, "LLEN"); },
       "LLEN of a missing key is 0 and passes; active, delayed and failed jobs are not looked at",
       "use queue.metrics and probe.keyspace"},
      {"redis.dump_with_aof", kError,
       [](const CommandContext& c) {
         return (c.command().is({"cp"}) || c.command().is({"mv"})) && !c.command().words.empty() &&
                c.command().words.back().ends_with("dump.rdb");
       },
       "where the AOF is on, it wins over dump.rdb: the old data returns, or nothing",
       "start with appendonly no, or seed appendonlydir from the backup: anclora restore --to dir:/path"},
      {"redis.local_dump", kError,
       [](const CommandContext& c) {
         return c.command().is({"aws", "s3", "cp"}) && c.command().words.size() > 3 &&
                c.command().words[3].starts_with("/") && c.command().words[3].ends_with(".rdb") &&
                c.command().words[3].find('*') == std::string::npos &&
                !c.any_before([](const ShellCommand& other) { return !other.option("--rdb").empty(); });
       },
       "the file is looked for on this machine, while the save ran on the Redis host: a stale or foreign file is "
       "uploaded as the backup",
       "stream it from the server: anclora capture"},
      {"redis.wrong_owner", kWarning,
       [](const CommandContext& c) { return c.command().is({"chown"}) && c.command().contains("redis"); },
       "names of users differ between host and container", "use the numeric id that the container runs with"},
  };
}

}  // namespace anclora::plan
