#include "respond/actions/redis_restore.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "plan/model/value_access.h"
#include "protect/restore/leftover.h"
#include "protect/restore/live_target.h"
#include "protect/restore/side_data.h"
#include "respond/actions/recovery_point_actions.h"
#include "respond/actions/redis_server.h"

namespace anclora::respond {
namespace {

constexpr const char* kLeft = "left";

// What the run's journal keeps of a restore under way, so that another machine can undo it. The target's own password
// is no business of a journal; ours admitted it to data that the repository holds.
Bytes without_secrets(protect::TargetRecord record) {
  std::erase_if(record.settings, [](const protect::ChangedSetting& setting) {
    return setting.name == "masterauth" && !setting.before.reveal().empty();
  });
  return protect::encode_target_record(record);
}

class RestoreAction final : public Action {
 public:
  explicit RestoreAction(RestoreMeans means) : means_(std::move(means)) {}

  Result<Observation> probe(StepContext& context) override {
    Observation seen;
    const std::string to = target_id(context);
    seen.desired = to + " at the chosen point";
    if (is_needless(context)) {
      seen.done = Done::kYes;
      seen.current = "a server was found already";
      seen.outputs = {{"restored", "no"}};
      return seen;
    }
    ASSIGN_OR_RETURN(const redis::RedisUrl url, redis_url_of(context, context.target(to)));
    seen.call = "restore to " + url.to_string();
    ASSIGN_OR_RETURN(auto client, connect_to(context, means_.dialer, url));
    ASSIGN_OR_RETURN(const redis::Info info, client->info());
    const std::string state = describe(info);
    seen.current = state;
    // A restore that was cut off is begun again by the next attempt; one that ended left its outcome in the journal, or
    // a primary that holds keys and no outcome: whether that is ours a person must say.
    const bool empty = info.keyspaces().empty();
    seen.done = info.is_replica() || empty ? Done::kNo : Done::kUnknown;
    if (const Outputs kept = context.kept(); !kept.contains("begun")) seen.done = Done::kNo;
    return seen;
  }

  Result<Outcome> execute(StepContext& context) override {
    if (is_needless(context)) return Outcome{"a server was found already: nothing to restore", {{"restored", "no"}}};
    const std::string to = target_id(context);
    const plan::Target& target = context.target(to);
    if (!plan::boolean_of(target.settings, "allow_restore", false))
      return Error(ErrorKind::kFailedPrecondition, "the plan does not let " + to + " be restored into",
                   "set allow_restore: true at that target when a plan may fill it");
    ASSIGN_OR_RETURN(const ChosenSource chosen, choose_source(context, means_.open));
    ASSIGN_OR_RETURN(const storage::Position position,
                     point_chosen_by(context, plan::text_of(context.step().with, "point")));
    ASSIGN_OR_RETURN(const protect::RecoveryPoint point,
                     protect::resolve(chosen.view(), protect::WhenOffset{position.timeline, position.offset},
                                      context.clock().wall_now()));
    ASSIGN_OR_RETURN(const protect::RestorePlan plan, protect::make_restore_plan(chosen.state, point));
    protect::LiveTargetOptions options;
    ASSIGN_OR_RETURN(options.target, redis_url_of(context, target));
    options.replace = plan::boolean_of(context.step().with, "replace", false);
    options.safety = chosen.opened.store.get();
    options.work_directory = means_.work_directory;
    options.record_folder = means_.record_folder;
    // Where it cannot be kept, a take-over needs a person for this.
    options.on_record = [&context](const protect::TargetRecord& record) {
      static_cast<void>(context.keep(kLeft, without_secrets(record)));
    };
    options.timeout = context.deadline() - context.clock().mono_now();
    ASSIGN_OR_RETURN(const std::string side,
                     protect::side_data_of(*chosen.opened.store, chosen.opened.repository, plan,
                                           [&context](const std::string& text) { context.note(text); }));
    RETURN_IF_ERROR(context.keep("begun", to_string(position)));
    RETURN_IF_ERROR(context.before_change(
        fmt::format("restore {} of {} to {}", to_string(position), chosen.source, options.target.to_string())));
    RETURN_IF_ERROR(adopt_left(context, options.target));
    const protect::RestoreTools tools{means_.files, context.clock(), means_.random, means_.dialer,
                                      [&context] { return context.cancelled(); }};
    ASSIGN_OR_RETURN(
        const protect::RestoreOutcome outcome,
        protect::restore_to_live({chosen.opened.store.get(), &chosen.opened.repository, chosen.state, plan.route}, plan,
                                 protect::needs_of(plan, side), options, means_.dialer, tools, {}));
    for (const std::string& warning : outcome.warnings) context.note(warning);
    return Outcome{fmt::format("{} holds {} ({} keys) after {}", to, to_string(position), outcome.keys,
                               format_duration(outcome.took)),
                   outputs_of(to, options.target, outcome)};
  }

  Status verify(StepContext& context) override {
    if (is_needless(context)) return {};
    ASSIGN_OR_RETURN(const redis::RedisUrl url, redis_url_of(context, context.target(target_id(context))));
    ASSIGN_OR_RETURN(auto client, connect_to(context, means_.dialer, url));
    ASSIGN_OR_RETURN(const redis::Info info, client->info());
    if (info.is_primary() && !info.loading()) return {};
    return Error(ErrorKind::kFailedPrecondition, url.to_string() + " " + describe(info) + " after its restore");
  }

  Result<Outcome> undo(StepContext&) override {
    return Error(ErrorKind::kUnsupported, "a restore is not undone",
                 "what stood there before --replace is in a safety copy: anclora status names it");
  }

  Outputs left_by_hand(const plan::Step& step) const override { return {{"target", plan::text_of(step.with, "to")}}; }

 private:
  static std::string target_id(StepContext& context) { return plan::text_of(context.step().with, "to"); }
  static std::string describe(const redis::Info& info) {
    std::uint64_t keys = 0;
    for (const redis::Keyspace& keyspace : info.keyspaces()) keys += keyspace.keys;
    return fmt::format("is a {}{} with {} keys", info.is_replica() ? "replica" : "primary",
                       info.loading() ? ", loading," : "", keys);
  }
  // A restore of this step that died on another machine noted there what it changed: noted here too, it is undone as
  // one of this machine is.
  Status adopt_left(StepContext& context, const redis::RedisUrl& url) {
    const Outputs kept = context.kept();
    const auto left = kept.find(kLeft);
    if (left == kept.end() || means_.record_folder.empty()) return {};
    ASSIGN_OR_RETURN(const protect::TargetRecord record, protect::decode_target_record(left->second));
    protect::TargetRecords records(means_.files, means_.record_folder);
    ASSIGN_OR_RETURN(const auto known, records.list());
    // An older one, of a restore that served elsewhere, says nothing about what the target follows now.
    if (std::ranges::any_of(known, [&](const auto& each) {
          return each.target == record.target && each.address.host == record.address.host &&
                 each.address.port == record.address.port;
        }))
      return {};
    ASSIGN_OR_RETURN(auto client, connect_to(context, means_.dialer, url));
    ASSIGN_OR_RETURN(const redis::Info info, client->info());
    if (!protect::follows_dead(info, record.address)) return {};
    if (std::ranges::none_of(record.settings, [](const auto& each) { return each.name == "masterauth"; }))
      context.note(record.target + ": its own masterauth is not known here: set it as its configuration file has it");
    ASSIGN_OR_RETURN(const auto lock, records.lock(record.target));
    return records.write(record);
  }
  // The step in `unless` left a server that serves.
  static bool is_needless(StepContext& context) {
    const std::string other = plan::text_of(context.step().with, "unless");
    if (other.empty()) return false;
    const auto outputs = context.outputs_of(other);
    return outputs.has_value() && outputs->contains("target");
  }
  static Outputs outputs_of(const std::string& to, const redis::RedisUrl& url, const protect::RestoreOutcome& outcome) {
    Outputs outputs{{"target", to},
                    {"url", url.to_string()},
                    {"restored", "yes"},
                    {"position", to_string(outcome.point.position)},
                    {"time", format_rfc3339(outcome.point.time)},
                    {"rpo_seconds", fmt::format("{:.3f}", static_cast<double>(outcome.distance.behind.count()) / 1e6)},
                    {"keys", std::to_string(outcome.keys)}};
    if (outcome.commands_lost) outputs["rpo_writes"] = std::to_string(*outcome.commands_lost);
    if (!outcome.safety_command.empty()) outputs["safety_command"] = outcome.safety_command;
    return outputs;
  }

  RestoreMeans means_;
};

}  // namespace

std::unique_ptr<Action> make_redis_restore(RestoreMeans means) {
  return std::make_unique<RestoreAction>(std::move(means));
}

}  // namespace anclora::respond
