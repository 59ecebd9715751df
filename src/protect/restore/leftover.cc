#include "protect/restore/leftover.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "protect/restore/target_loading.h"

namespace anclora::protect {
namespace {

// Our password is random: who has it was given it by that restore, and keeps it by a CONFIG REWRITE.
bool has_our_password(redis::Client& client, const TargetRecord& record) {
  for (const ChangedSetting& setting : record.settings)
    if (setting.name == "masterauth") {
      const auto now = client.config_get("masterauth");
      return now && setting.set.equals(Secret(*now));
    }
  return false;
}

Error nothing_known(const std::string& target, const redis::Info& info) {
  std::string hint;
  if (info.is_replica() && !info.link_up())
    hint = fmt::format(
        "it is a replica of {}:{}, which does not answer. If a restore from another machine left it so, run this "
        "there; "
        "by hand: REPLICAOF NO ONE, then CONFIG SET masterauth, repl-diskless-load, replica-lazy-flush, "
        "replica-read-only and rdbcompression as its configuration file has them, or start it again",
        info.text("master_host").value_or("?"), info.text("master_port").value_or("?"));
  else
    hint = "there is nothing to undo; restores from other machines are undone there";
  return Error(ErrorKind::kNotFound, "no interrupted restore into " + target + " is known on this machine", hint);
}

}  // namespace

std::string Leftover::what() const {
  return fmt::format("an interrupted restore to {}, begun at {}", record.point, format_rfc3339(record.started));
}

bool follows_dead(const redis::Info& info, const Endpoint& address) {
  return info.is_replica() && !info.link_up() && info.text("master_host") == address.host &&
         info.number("master_port") == address.port;
}

Result<std::optional<Leftover>> find_leftover(LiveLink& link, TargetRecords& records) {
  ASSIGN_OR_RETURN(std::vector<TargetRecord> known, records.list());
  if (known.empty()) return std::optional<Leftover>();
  ASSIGN_OR_RETURN(redis::Client * client, link.client());
  ASSIGN_OR_RETURN(const redis::Info info, client->info());
  for (TargetRecord& record : known) {
    Leftover leftover;
    leftover.same_process = !record.run_id.empty() && info.text("run_id") == record.run_id;
    leftover.follows_us = follows_dead(info, record.address);
    const bool is_it = leftover.same_process || leftover.follows_us ||
                       (record.target == link.url().to_string() && has_our_password(*client, record));
    if (!is_it) continue;
    // Somebody answers there, or it was told to follow another: no business of ours.
    if (info.is_replica() && !leftover.follows_us) continue;
    leftover.only_ours =
        leftover.follows_us && leftover.same_process && !record.held_data && info.flag("slave_read_only");
    leftover.record = std::move(record);
    return std::optional<Leftover>(std::move(leftover));
  }
  return std::optional<Leftover>();
}

Result<std::vector<std::string>> put_settings_back(LiveLink& link, const TargetRecord& record, std::string_view kept) {
  ASSIGN_OR_RETURN(redis::Client * client, link.client());
  std::vector<std::string> done;
  for (const ChangedSetting& setting : record.settings) {
    if (setting.name == kept) continue;
    ASSIGN_OR_RETURN(const std::string now, client->config_get(setting.name));
    if (!setting.set.equals(Secret(now))) continue;
    const auto reply = client->command({"CONFIG", "SET", setting.name, setting.before.reveal()});
    if (!reply) return Error(reply.error()).with_context("the target's setting " + setting.name + " was not put back");
    done.push_back(setting.name);
  }
  return done;
}

Result<UndoneRestore> undo_restore(const redis::RedisUrl& target, const std::string& record_folder,
                                   const RestoreTools& tools) {
  LiveLink link(target, tools.dialer, tools.clock);
  TargetRecords records(tools.files, record_folder);
  UndoneRestore undone;
  undone.target = target.to_string();
  ASSIGN_OR_RETURN(const std::optional<Leftover> leftover, find_leftover(link, records));
  if (!leftover) {
    ASSIGN_OR_RETURN(redis::Client * client, link.client());
    ASSIGN_OR_RETURN(const redis::Info info, client->info());
    return nothing_known(undone.target, info);
  }
  ASSIGN_OR_RETURN(const auto lock, records.lock(leftover->record.target));
  RETURN_IF_ERROR(wait_until_loaded(link, tools.clock, tools.cancelled, {}));
  ASSIGN_OR_RETURN(redis::Client * client, link.client());
  if (leftover->follows_us) RETURN_IF_ERROR(client->command({"REPLICAOF", "NO", "ONE"}));
  undone.what = leftover->what();
  undone.detached = undone.partial = leftover->follows_us;
  ASSIGN_OR_RETURN(undone.settings, put_settings_back(link, leftover->record));
  RETURN_IF_ERROR(records.remove(leftover->record.target));
  ASSIGN_OR_RETURN(const redis::Info info, client->info());
  for (const redis::Keyspace& keyspace : info.keyspaces()) undone.keys += keyspace.keys;
  undone.partial &= undone.keys > 0;
  return undone;
}

std::string to_text(const UndoneRestore& undone) {
  std::string text = fmt::format("undone on {}: {}\n", undone.target, undone.what);
  if (undone.detached) text += "it is a primary again\n";
  text += undone.settings.empty() ? "no setting had to be put back\n"
                                  : fmt::format("settings put back: {}\n", fmt::join(undone.settings, ", "));
  if (undone.partial)
    text += fmt::format(
        "it holds {} keys, which may be a part of what was to be restored: do not use them; restore again with "
        "--replace, or FLUSHALL\n",
        undone.keys);
  else
    text += fmt::format("it holds {} keys\n", undone.keys);
  return text;
}

std::string to_json(const UndoneRestore& undone) {
  return nlohmann::ordered_json{{"target", undone.target},     {"undone", undone.what}, {"detached", undone.detached},
                                {"settings", undone.settings}, {"keys", undone.keys},   {"partial", undone.partial}}
      .dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace anclora::protect
