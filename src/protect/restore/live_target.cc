#include "protect/restore/live_target.h"

#include <fmt/format.h>

#include <algorithm>

#include "protect/restore/databases_used.h"
#include "protect/restore/leftover.h"
#include "protect/restore/live_check.h"
#include "protect/restore/live_link.h"
#include "protect/restore/live_wait.h"
#include "protect/restore/target_loading.h"
#include "protect/restore/target_settings.h"
#include "protect/restore/target_untouched.h"
#include "redis/replication/feeder.h"

namespace anclora::protect {
namespace {

constexpr std::string_view kReadOnly = "replica-read-only";

std::uint64_t number(const redis::Info& info, std::string_view name) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, info.number(name).value_or(0)));
}

bool is_wildcard(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

// Where the source's setting does not say whether the target has enough databases, the data itself is asked. A base
// that cannot be read through leaves it open: the setting decides then.
Status settle_databases(RestoreInput input, const LiveTargetFacts& facts, TargetNeeds& needs, const RestoreTools& tools,
                        const OnRestoreProgress& on_progress) {
  if (!databases_are_in_doubt(facts, needs)) return {};
  const auto used = count_databases_used(std::move(input), [&] { return tools.is_cancelled(); }, on_progress);
  if (used.has_value()) {
    needs.databases_used = *used;
  } else if (used.error().kind() != ErrorKind::kUnsupported) {
    return used.error();
  }
  return {};
}

class LiveRestore {
 public:
  LiveRestore(RestoreInput input, const RestorePlan& plan, const TargetNeeds& needs, const LiveTargetOptions& options,
              Dialer& dialer, const RestoreTools& tools, const OnRestoreProgress& on_progress)
      : plan_(plan),
        needs_(needs),
        options_(options),
        dialer_(dialer),
        tools_(tools),
        on_progress_(on_progress),
        name_(options.target.to_string()),
        store_(input.store),
        repository_(*input.repository),
        state_(input.state),
        link_(options.target, dialer, tools.clock),
        records_(tools.files, options.record_folder),
        source_(std::move(input)) {}

  Result<RestoreOutcome> run() {
    const MonoTime begin = tools_.clock.mono_now();
    outcome_.target = name_;
    outcome_.point = plan_.point;
    outcome_.distance = plan_.distance;
    RETURN_IF_ERROR(prepare());
    Status status = attach();
    if (status.has_value()) status = wait();
    if (status.has_value()) status = check();
    if (status.has_value()) status = promote();
    if (!status.has_value()) return give_up(status.error());
    const Status put_back = settings_->put_back();
    if (put_back.has_value()) forget();
    if (!put_back.has_value()) outcome_.warnings.push_back(put_back.error().message() + ": " + put_back.error().hint());
    outcome_.took = std::chrono::duration_cast<Duration>(tools_.clock.mono_now() - begin);
    outcome_.commands = source_.commands();
    outcome_.base_bytes = plan_.route.base.rdb_bytes;
    count_what_is_lost();
    return std::move(outcome_);
  }

 private:
  // After the clock has stopped: the target serves already.
  void count_what_is_lost() {
    if (!plan_.distance.same_timeline) return;  // what lies on another timeline has no count against this one
    auto lost = count_commands_lost({*store_, repository_, state_}, plan_);
    if (lost.has_value()) {
      outcome_.commands_lost = *lost;
    } else {
      outcome_.warnings.push_back("the commands given up could not be counted: " + lost.error().message());
    }
  }

  void tell(std::string_view phase) const {
    if (on_progress_) on_progress_({phase, 0, 0});
  }

  Status prepare() {
    tell("pre-flight");
    if (!options_.record_folder.empty()) RETURN_IF_ERROR(claim_target());
    RETURN_IF_ERROR(wait_until_loaded(link_, tools_.clock, [this] { return tools_.is_cancelled(); }, on_progress_));
    if (leftover_) RETURN_IF_ERROR(mend_leftover());
    ASSIGN_OR_RETURN(redis::Client * client, link_.client());
    ASSIGN_OR_RETURN(facts_, ask_target(*client, tools_.files));
    RETURN_IF_ERROR(
        settle_databases({store_, &repository_, state_, plan_.route}, facts_, needs_, tools_, on_progress_));
    if (facts_.databases) source_.limit_databases(*facts_.databases);
    facts_.left_by_us = leftover_ && leftover_->only_ours;
    const auto findings = judge_target(facts_, needs_);
    RETURN_IF_ERROR(refuse_if_fatal(findings, name_));
    for (const PreflightFinding& finding : findings)
      outcome_.warnings.push_back(finding.what + " (" + finding.fix + ")");
    if (facts_.tls_replication.value_or(false) && !options_.listen_tls)
      return Error(ErrorKind::kFailedPrecondition, name_ + " replicates over TLS only (tls-replication yes)",
                   "give a certificate to serve with, or CONFIG SET tls-replication no for the time of the restore");
    if (facts_.holds_data() && !facts_.left_by_us) RETURN_IF_ERROR(make_room());
    settings_.emplace(link_);
    return {};
  }

  // No other restore runs into it from this machine; and what a killed one left is known.
  Status claim_target() {
    ASSIGN_OR_RETURN(leftover_, find_leftover(link_, records_));
    auto lock = records_.lock(leftover_ ? leftover_->record.target : name_);
    if (!lock && lock.error().kind() == ErrorKind::kFailedPrecondition) return lock.error();
    if (lock) lock_ = std::move(*lock);  // else: write_record() tells
    return {};
  }

  // Its settings are put back. A replica of ours stays one, and read-only, where its data are to be written over, so
  // that nobody writes to it meanwhile.
  Status mend_leftover() {
    if (leftover_->follows_us && !leftover_->only_ours && !options_.replace)
      return Error(ErrorKind::kFailedPrecondition,
                   fmt::format("{} was left by {}: it holds what it held before, or a part of that point", name_,
                               leftover_->what()),
                   "give --replace to restore again: a copy of what it holds is kept first; only to undo: anclora "
                   "restore --undo --to " +
                       name_);
    ASSIGN_OR_RETURN(redis::Client * client, link_.client());
    if (leftover_->follows_us && !leftover_->only_ours) RETURN_IF_ERROR(client->command({"REPLICAOF", "NO", "ONE"}));
    ASSIGN_OR_RETURN(const auto settings, put_settings_back(link_, leftover_->record,
                                                            leftover_->only_ours ? kReadOnly : std::string_view()));
    outcome_.warnings.push_back(leftover_->what() + " had left the target: undone first");
    // A leftover that stays a replica stays known until the new record stands in its place.
    return leftover_->only_ours ? Status() : records_.remove(leftover_->record.target);
  }

  // A restore must not fail because the state folder is full or not ours; it can then not be undone by us.
  void write_record() {
    TargetRecord record;
    record.target = leftover_ ? leftover_->record.target : name_;
    record.run_id = facts_.info.text("run_id").value_or("");
    record.address = announced_;
    record.point = storage::to_string(plan_.point.position);
    record.started = tools_.clock.wall_now();
    record.held_data = facts_.holds_data() && !facts_.left_by_us;
    record.settings = settings_->intended();
    if (options_.on_record) options_.on_record(record);
    if (options_.record_folder.empty()) return;
    if (const Status written = records_.write(record); !written)
      outcome_.warnings.push_back(
          "what was changed on the target could not be noted, so that a killed restore could "
          "not be undone: " +
          written.error().message());
  }

  // The target is as it was, or restored: there is nothing to undo.
  void forget() {
    if (options_.record_folder.empty()) return;
    if (const Status removed = records_.remove(leftover_ ? leftover_->record.target : name_); !removed)
      outcome_.warnings.push_back(removed.error().message());
  }

  // The target holds data.
  Status make_room() {
    if (!options_.replace)
      return Error(ErrorKind::kFailedPrecondition,
                   fmt::format("{} is not empty: it holds {}{}", name_, facts_.contents(),
                               leftover_ ? "; the settings that " + leftover_->what() + " left were put back" : ""),
                   "restore into an empty server, or give --replace: a copy of what it holds is kept first");
    if (options_.safety == nullptr)
      return Error(ErrorKind::kFailedPrecondition, "there is no repository that the safety copy could go into",
                   "give a repository that can be written to");
    tell("safety copy");
    ASSIGN_OR_RETURN(const SafetyCopy copy, take_safety_copy(*options_.safety, repository_, options_.target, dialer_,
                                                             options_.work_directory, tools_, on_progress_));
    outcome_.safety_source = copy.source;
    outcome_.safety_command = copy.restore_command;
    return {};
  }

  bool swap_fits() const {
    if (facts_.keys == 0) return true;  // there is nothing that has to stay beside the new data
    const std::uint64_t machine = number(facts_.info, "total_system_memory");
    return machine != 0 && number(facts_.info, "used_memory") + needs_.memory_bytes < machine / 10 * 9;
  }

  void change_settings(redis::FeederOptions& feeder, const std::string& target_address) {
    settings_->intend("repl-diskless-load", swap_fits() ? "swapdb" : "disabled");
    settings_->intend("replica-lazy-flush", "yes");
    // What a client changed in the middle would be in the restored data.
    settings_->intend(std::string(kReadOnly), "yes", facts_.left_by_us ? &leftover_->record : nullptr);
    settings_->intend("rdbcompression", "no");  // for the rewrite of its AOF that follows
    const std::string password = to_hex(tools_.random.bytes(16));
    settings_->intend("masterauth", password);
    write_record();
    settings_->change();
    if (settings_->is_set("masterauth")) {
      feeder.password = Secret(password);
    } else if (!options_.announce) {
      feeder.allowed_peers = {target_address};
    }
  }

  Status attach() {
    tell("waiting for the target");
    ASSIGN_OR_RETURN(redis::Client * client, link_.client());
    redis::FeederOptions feeder_options;
    Endpoint here{client->local().host, 0};
    if (here.host.empty() || here.host.front() == '/') here.host = "127.0.0.1";
    const std::string own_host = here.host;
    if (options_.listen) here = *options_.listen;
    ASSIGN_OR_RETURN(auto listener, listen_on(here, options_.listen_tls ? &*options_.listen_tls : nullptr));
    announced_ =
        options_.announce.value_or(Endpoint{is_wildcard(here.host) ? own_host : here.host, listener->local().port});
    change_settings(feeder_options, client->peer().host);
    errors_before_ = number(facts_.info, "unexpected_error_replies");
    source_.stop_at(plan_.route.base.offset);  // until it is known where to count
    feeder_ = redis::Feeder::start(source_, std::move(listener), tools_.clock, tools_.random, feeder_options);
    attached_ = true;
    const auto reply = client->command({"REPLICAOF", announced_.host, std::to_string(announced_.port)});
    if (reply.has_value()) return {};
    // Its answer says that it did not obey; without one it may have. A leftover is a replica as before.
    attached_ = facts_.left_by_us || retry_class(reply.error().kind()) == RetryClass::kRetry;
    return Error(reply.error()).with_context("the target refused REPLICAOF");
  }

  Status wait() {
    wait_.emplace(LiveWait::Parts{name_, announced_, plan_, options_, tools_, on_progress_, link_, *feeder_, source_});
    wait_->look_for_key_counts({store_, &repository_, state_, plan_.route});
    const Status waited = wait_->until_there();
    if (wait_->left()) attached_ = false;
    return waited;
  }

  Status check() {
    tell("checks");
    ASSIGN_OR_RETURN(redis::Client * client, link_.client());
    RETURN_IF_ERROR(wait_until_freed(*client, options_.timeout, tools_));
    const LiveCheck expected{name_,
                             plan_.point.position,
                             *feeder_->progress().end,
                             errors_before_,
                             settings_->is_set(std::string(kReadOnly)),
                             wait_->compared_at()};
    return check_restored(*client, expected, outcome_);
  }

  Status promote() {
    tell("promotion");
    ASSIGN_OR_RETURN(redis::Client * client, link_.client());
    const auto reply = client->command({"REPLICAOF", "NO", "ONE"});
    if (!reply.has_value()) return Error(reply.error()).with_context("the restored target could not be promoted");
    attached_ = false;
    feeder_->stop();
    ASSIGN_OR_RETURN(const redis::Info info, client->info("replication"));
    if (!info.is_primary())
      return Error(ErrorKind::kFailedPrecondition, name_ + " did not stay a primary: something made it follow another",
                   "look for a Sentinel or an operator that watches it");
    outcome_.checks.push_back({"role", "primary"});
    return {};
  }

  // The target goes back to what it was where its data still is. One that is left a replica stays read-only: the record
  // has what it was.
  Error give_up(const Error& error) {
    if (!attached_) {
      if (settings_->put_back().has_value() && !facts_.left_by_us) forget();
      return error;
    }
    const redis::FeederProgress progress = feeder_->progress();
    const bool untouched =
        !facts_.left_by_us && (progress.base_sent_bytes < progress.base_size_bytes || progress.full_syncs == 0);
    feeder_->stop();
    auto client = link_.client();
    if (untouched && client.has_value() && (*client)->command({"REPLICAOF", "NO", "ONE"}).has_value()) {
      if (settings_->put_back().has_value()) forget();
      return error.with_hint("the target was made a primary again and holds what it held before");
    }
    ignore_result(settings_->put_back(kReadOnly));  // where it could not be, --undo does it too
    const std::string left = fmt::format(
        "the target {}: restore again{}; only to undo: anclora restore --undo --to {}",
        untouched ? "was not reached again: it holds what it held before, and may be left a replica, read-only"
                  : "holds a part of the restored data and was left a replica, read-only",
        facts_.holds_data() && !facts_.left_by_us ? " with --replace" : "", name_);
    return Error(error.kind(), error.message(), error.hint().empty() ? left : error.hint() + "\n" + left);
  }

  const RestorePlan& plan_;
  TargetNeeds needs_;
  const LiveTargetOptions& options_;
  Dialer& dialer_;
  const RestoreTools& tools_;
  const OnRestoreProgress& on_progress_;
  std::string name_;
  storage::ReadStore* store_;
  const storage::Repository& repository_;
  const storage::SourceState state_;
  LiveLink link_;
  TargetRecords records_;
  std::unique_ptr<FileLock> lock_;
  std::optional<Leftover> leftover_;
  ReplaySource source_;
  LiveTargetFacts facts_;
  std::optional<TargetSettings> settings_;
  std::unique_ptr<redis::Feeder> feeder_;
  Endpoint announced_;
  std::uint64_t errors_before_ = 0;
  std::optional<LiveWait> wait_;
  bool attached_ = false;
  RestoreOutcome outcome_;
};

}  // namespace

Result<std::vector<PreflightFinding>> preflight_live(const RestoreInput& input, TargetNeeds needs,
                                                     const LiveTargetOptions& options, Dialer& dialer,
                                                     const RestoreTools& tools, const OnRestoreProgress& on_progress) {
  LiveLink link(options.target, dialer, tools.clock);
  RETURN_IF_ERROR(wait_until_loaded(link, tools.clock, [&] { return tools.is_cancelled(); }, on_progress));
  std::optional<Leftover> leftover;
  if (!options.record_folder.empty()) {
    TargetRecords records(tools.files, options.record_folder);
    ASSIGN_OR_RETURN(leftover, find_leftover(link, records));
  }
  ASSIGN_OR_RETURN(redis::Client * client, link.client());
  ASSIGN_OR_RETURN(LiveTargetFacts facts, ask_target(*client, tools.files));
  facts.left_by_us = leftover && (leftover->only_ours || (leftover->follows_us && options.replace));
  RETURN_IF_ERROR(settle_databases(input, facts, needs, tools, on_progress));
  auto findings = judge_target(facts, needs);
  if (leftover) findings.push_back({false, leftover->what() + " left it", "nothing: the restore undoes it first"});
  if (facts.holds_data() && !options.replace && !facts.left_by_us)
    findings.insert(findings.begin(), {true, "it is not empty: it holds " + facts.contents(), "give --replace"});
  return findings;
}

Result<RestoreOutcome> restore_to_live(RestoreInput input, const RestorePlan& plan, const TargetNeeds& needs,
                                       const LiveTargetOptions& options, Dialer& dialer, const RestoreTools& tools,
                                       const OnRestoreProgress& on_progress) {
  return LiveRestore(std::move(input), plan, needs, options, dialer, tools, on_progress).run();
}

}  // namespace anclora::protect
