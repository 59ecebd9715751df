#include "protect/restore/live_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "protect/restore/target_untouched.h"

namespace anclora::protect {
namespace {

Status check_errors(const redis::Info& info, const LiveCheck& expected, RestoreOutcome& outcome) {
  const auto counted = info.number("unexpected_error_replies");
  if (!counted) {
    outcome.checks.push_back({"replication errors", "not counted by this version"});
    return {};
  }
  const auto errors = static_cast<std::uint64_t>(std::max<std::int64_t>(0, *counted));
  const std::uint64_t fresh = errors >= expected.errors_before ? errors - expected.errors_before : errors;
  if (fresh != 0)
    return Error(ErrorKind::kDataLoss,
                 fmt::format("{} answered {} of the replayed commands with an error", expected.name, fresh),
                 "its log names them (CRITICAL); restore into a server of the source's version");
  outcome.checks.push_back({"replication errors", "none"});
  return {};
}

void note_keys(const redis::Info& info, const LiveCheck& expected, RestoreOutcome& outcome) {
  for (const redis::Keyspace& keyspace : info.keyspaces()) outcome.keys += keyspace.keys;
  const std::string found = fmt::format("{} keys in {} databases", outcome.keys, info.keyspaces().size());
  const std::string compared =
      expected.compared_at.empty()
          ? "not compared: the source's counts near this point are not known"
          : fmt::format("at {} as many in each database as the source held", expected.compared_at);
  outcome.checks.push_back({"keys", fmt::format("{}; {}", found, compared)});
}

}  // namespace

Status check_restored(redis::Client& client, const LiveCheck& expected, RestoreOutcome& outcome) {
  ASSIGN_OR_RETURN(const redis::Info info, client.info());
  const auto offset = info.number("slave_repl_offset");
  if (!info.link_up())
    return Error(ErrorKind::kUnavailable, expected.name + " lost its link to us before it was checked",
                 "restore again");
  if (!info.is_replica() || !offset || static_cast<std::uint64_t>(*offset) != expected.end.value)
    return Error(ErrorKind::kDataLoss, fmt::format("{} stands at offset {} instead of {}", expected.name,
                                                   offset.value_or(-1), expected.end.value));
  outcome.checks.push_back({"offset", fmt::format("stands at {} exactly", storage::to_string(expected.point))});
  RETURN_IF_ERROR(check_errors(info, expected, outcome));
  RETURN_IF_ERROR(check_untouched(client, info, expected.made_read_only, expected.name));
  if (info.number("slave_read_only") == 0)
    outcome.warnings.push_back(
        expected.name +
        " did not let us set replica-read-only yes: what other clients wrote to it during the restore is in it");
  note_keys(info, expected, outcome);
  return {};
}

}  // namespace anclora::protect
