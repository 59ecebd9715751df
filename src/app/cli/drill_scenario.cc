// `anclora drill run SCENARIO`: run_scenario_drill_command() of drill_site.h.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <ostream>

#include "app/cli/bounded_option.h"
#include "app/cli/drill_sandbox.h"
#include "app/cli/drill_site.h"
#include "app/cli/run_site.h"
#include "app/daemon/plan_watch.h"
#include "plan/lint/plan_lookup.h"
#include "plan/model/value_access.h"
#include "respond/detect/beacon_writer.h"
#include "respond/runbook/run_folder.h"

namespace anclora::app {
namespace {

constexpr Duration kTick = std::chrono::milliseconds(50);
constexpr Duration kHealthyWithin = std::chrono::seconds(60);
constexpr Duration kProtectedWithin = std::chrono::seconds(60);
constexpr Duration kBeatWithin = std::chrono::seconds(3);
constexpr Duration kDetectionSlack = std::chrono::seconds(30);  // besides what the rules themselves need

// The plan's probes and rules over the sandbox, until the disaster is confirmed.
class DisasterWatch {
 public:
  DisasterWatch(const CommandContext& context, const plan::Plan& plan, const std::string& environment,
                const plan::Scenario& scenario)
      : clock_(context.clock), plan_(plan), scenario_(scenario.id) {
    for (const plan::Detection& rule : plan.detections)
      if (rule.scenario == scenario.id) rules_.push_back(&rule);
    watcher_ = make_watcher({probe_means(context), context.clock, context.environment}, plan, environment, "",
                            [this](const respond::RuleVerdict& verdict) { note(verdict); });
  }

  bool has_rules() const { return !rules_.empty(); }
  void start() { watcher_->start(); }
  void stop() { watcher_->stop(); }

  // Until everything that the rules look at is seen to be well.
  Status wait_until_healthy() const {
    const MonoTime deadline = clock_.mono_now() + kHealthyWithin;
    while (true) {
      const std::string ill = what_is_ill();
      if (ill.empty()) return {};
      if (stop_requested()) return Error(ErrorKind::kCancelled, "stopped before the disaster");
      if (clock_.mono_now() > deadline)
        return Error(ErrorKind::kFailedPrecondition, "the sandbox is not well before the disaster: " + ill,
                     "bring it up, then repeat");
      clock_.sleep_for(kTick);
    }
  }

  // From now on a confirmed rule is the disaster.
  void arm() {
    const std::lock_guard lock(mutex_);
    armed_ = true;
    confirmed_.reset();
  }

  struct Detected {
    respond::RuleVerdict verdict;
    WallTime at;
  };
  // kDeadlineExceeded when no rule of the scenario was confirmed in the time that its rules need.
  Result<Detected> wait_until_detected() const {
    const MonoTime deadline = clock_.mono_now() + patience();
    while (true) {
      {
        const std::lock_guard lock(mutex_);
        if (confirmed_) return *confirmed_;
      }
      if (stop_requested()) return Error(ErrorKind::kCancelled, "stopped before the disaster was detected");
      if (clock_.mono_now() > deadline)
        return Error(ErrorKind::kDeadlineExceeded,
                     fmt::format("the disaster was not detected within {}", format_duration(patience())),
                     "look at what the rules see: anclora detect --plan FILE");
      clock_.sleep_for(kTick);
    }
  }

 private:
  void note(const respond::RuleVerdict& verdict) {
    const std::lock_guard lock(mutex_);
    if (armed_ && !confirmed_ && verdict.scenario == scenario_ && verdict.state == respond::RuleState::kConfirmed)
      confirmed_ = Detected{verdict, clock_.wall_now()};
  }

  bool is_looked_at(const std::string& probe) const {
    return std::ranges::any_of(rules_, [&](const plan::Detection* rule) {
      const auto names = [&](const plan::Condition& condition) { return condition.probe == probe; };
      return std::ranges::any_of(rule->all, names) || std::ranges::any_of(rule->any, names);
    });
  }

  std::string what_is_ill() const {
    for (const respond::ProbeView& probe : watcher_->probes()) {
      if (!is_looked_at(probe.probe) || !probe.here) continue;
      if (!probe.last) return probe.probe + " has not looked yet";
      if (probe.last->state != respond::ProbeState::kUp)
        return fmt::format("{} is {}, {}", probe.probe, respond::to_string(probe.last->state), probe.last->reason);
    }
    // What still holds from before would never become confirmed anew, or be taken for the disaster.
    for (const respond::RuleVerdict& verdict : watcher_->verdicts())
      if (verdict.scenario == scenario_ &&
          (verdict.state == respond::RuleState::kSuspected || verdict.state == respond::RuleState::kConfirmed))
        return fmt::format("{} is still {}", verdict.rule, respond::to_string(verdict.state));
    return {};
  }

  Duration patience() const {
    Duration longest{};
    for (const plan::Detection* rule : rules_) {
      Duration needed = rule->for_time;
      for (const auto* conditions : {&rule->all, &rule->any})
        for (const plan::Condition& condition : *conditions)
          if (const plan::Probe* probe = plan::find_probe(plan_, condition.probe))
            needed = std::max(needed, rule->for_time + probe->every * (probe->bad_in_a_row + 1));
      longest = std::max(longest, needed);
    }
    return longest + kDetectionSlack;
  }

  Clock& clock_;
  const plan::Plan& plan_;
  const std::string scenario_;
  std::vector<const plan::Detection*> rules_;
  mutable std::mutex mutex_;
  bool armed_ = false;
  std::optional<Detected> confirmed_;
  std::unique_ptr<respond::Watcher> watcher_;  // last: its threads end before what they use
};

// The plan's own probe may keep the beacon: two writers would overtake each other.
bool a_probe_writes_the_beacon(const plan::Plan& plan) {
  return std::ranges::any_of(plan.probes, [&](const plan::Probe& probe) {
    const plan::Target* target = plan::find_target(plan, plan::text_of(probe.with, "target"));
    return probe.uses == "probe.redis" && plan::boolean_of(probe.with, "write", false) && target != nullptr &&
           target->settings.find("beacon") != nullptr;
  });
}

respond::DrillObjectives objectives_of(const plan::Plan& plan, const plan::Scenario& scenario) {
  respond::DrillObjectives objectives;
  objectives.severity = scenario.severity;
  if (const plan::SeverityObjective* severity = plan::find_severity(plan, scenario.severity)) {
    objectives.rto = severity->rto;
    objectives.rto_max = severity->rto_max;
  }
  for (const plan::DataObjective& data : plan.data)
    if (data.proof == "beacon" && (!objectives.rpo || data.rpo < *objectives.rpo)) objectives.rpo = data.rpo;
  return objectives;
}

class ScenarioDrill {
 public:
  ScenarioDrill(CommandContext& context, const ReadPlan& read, const plan::Scenario& scenario,
                const respond::BegunDrill& begun, bool approve)
      : context_(context),
        read_(read),
        scenario_(scenario),
        begun_(begun),
        approve_(approve),
        record_(record_of(begun)),
        watch_(context, read.plan, begun.environment, scenario) {
    record_.objectives = objectives_of(read.plan, scenario);
    record_.inject_run = begun.inject_run;
    record_.recovery_run = begun.recovery_run;
  }

  respond::DrillRecord& record() { return record_; }

  // Everything but the cleanup. What went wrong is a reason in the record; an error is kCancelled only.
  Status run() {
    const Status played = play();
    watch_.stop();
    if (played) return {};
    record_.reasons.push_back(played.error().message());
    return played.error().kind() == ErrorKind::kCancelled ? played : Status();
  }

 private:
  Status play() {
    if (!watch_.has_rules())
      return Error(ErrorKind::kFailedPrecondition, "no detection of the plan leads to " + scenario_.id,
                   "add one, with scenario: " + scenario_.id);
    if (!scenario_.prepare.empty())
      RETURN_IF_ERROR(part(respond::RunPart::kPrepare, begun_.prepare_run, {}).with("prepare"));
    tell("waiting until the sandbox is well and protected");
    watch_.start();
    RETURN_IF_ERROR(watch_.wait_until_healthy());
    std::vector<std::unique_ptr<respond::BeaconWriter>> beacons;
    if (!a_probe_writes_the_beacon(read_.plan)) {
      const respond::PlanLookup lookup = lookup_in(context_, read_.plan, begun_.environment);
      ASSIGN_OR_RETURN(beacons, respond::start_beacons(read_.plan, lookup, context_.dialer, context_.clock));
      for (const auto& beacon : beacons) beacon->wait_for_beat(kBeatWithin);
    }
    RETURN_IF_ERROR(wait_until_protected(context_, read_.plan, begun_.environment, kProtectedWithin));
    // Proven before by what answered then: a server that hung has told no run_id.
    RETURN_IF_ERROR(prove_sandbox(context_, read_.plan, begun_.environment, scenario_.id));
    tell("the disaster");
    watch_.arm();
    record_.facts["disaster_began"] = format_rfc3339(context_.clock.wall_now());
    RETURN_IF_ERROR(part(respond::RunPart::kInject, begun_.inject_run, {}).with("the disaster"));
    ASSIGN_OR_RETURN(const auto marks, detect());
    watch_.stop();  // its beacon must not be written into what is being recovered
    beacons.clear();
    tell("the recovery");
    const Status recovered = part(respond::RunPart::kRecovery, begun_.recovery_run, marks).status;
    measure();
    return recovered;
  }

  // t_out and t_det of the recovery. An undetected disaster fails the drill; it is recovered from all the same.
  Result<std::map<std::string, std::string>> detect() {
    const auto detected = watch_.wait_until_detected();
    if (detected) {
      record_.facts["detected_by"] = detected->verdict.rule;
      record_.checks.push_back({"detected",
                                fmt::format("{} by {}: {}", format_rfc3339(detected->at), detected->verdict.rule,
                                            fmt::join(detected->verdict.evidence, "; ")),
                                true});
      std::map<std::string, std::string> marks{{"t_det", format_rfc3339(detected->at)}};
      marks["t_out"] =
          detected->verdict.out_since ? format_rfc3339(*detected->verdict.out_since) : record_.facts["disaster_began"];
      return marks;
    }
    if (detected.error().kind() == ErrorKind::kCancelled) return detected.error();
    record_.checks.push_back({"detected", detected.error().message(), false});
    record_.reasons.push_back(detected.error().message());
    return std::map<std::string, std::string>{{"t_out", record_.facts["disaster_began"]},
                                              {"t_det", format_rfc3339(context_.clock.wall_now())}};
  }

  struct PartEnd {
    Status status;
    Status with(std::string_view what) && {
      return status ? std::move(status) : Status(status.error().with_context(std::string(what)));
    }
  };
  PartEnd part(respond::RunPart part, const std::string& run, std::map<std::string, std::string> marks) {
    return {run_part(context_, read_.plan, read_.bytes, part, run, approve_, std::move(marks), record_)};
  }

  void tell(const char* what) { context_.err << fmt::format("drill {}: {}\n", begun_.id, what) << std::flush; }

  void measure() {
    const auto stored = read_run(context_, begun_.recovery_run);
    if (!stored) return;
    const respond::RtoSplit split = respond::split_rto(stored->run, stored->state);
    respond::DrillAchieved& achieved = record_.achieved;
    achieved.rto = split.achieved;
    achieved.detect = split.detect;
    achieved.decide = split.decide;
    achieved.act = split.act;
    achieved.verify = split.verify;
    const respond::MeasuredRpo rpo = respond::measured_rpo(stored->state);
    if (!rpo.seconds.empty())
      achieved.rpo = Duration(static_cast<std::int64_t>(std::strtod(rpo.seconds.c_str(), nullptr) * 1e6));
    if (!rpo.writes.empty()) achieved.rpo_writes = std::strtoull(rpo.writes.c_str(), nullptr, 10);
    if (achieved.rpo)
      achieved.rpo_basis =
          std::ranges::any_of(stored->state.steps,
                              [](const respond::StepStatus& step) { return step.outputs.contains("beacon_at"); })
              ? "beacon"
              : "repository";
    // The steps verified what they did; the run ended when `restored` held.
    record_.checks.push_back(
        {"recovered",
         stored->state.finished ? "every step is settled, the service is restored" : "the recovery did not finish",
         stored->state.finished});
  }

  CommandContext& context_;
  const ReadPlan& read_;
  const plan::Scenario& scenario_;
  const respond::BegunDrill& begun_;
  const bool approve_;
  respond::DrillRecord record_;
  DisasterWatch watch_;
};

Status check_starter(const plan::Plan& plan, const std::string& contact) {
  if (contact.empty() || plan::find_contact(plan, contact) != nullptr) return {};
  return Error(ErrorKind::kInvalidArgument, "the plan has no contact " + contact,
               fmt::format("the plan's contacts: {}", fmt::join(plan::ids_in(plan.contacts), ", ")));
}

void name_runs(const CommandContext& context, respond::BegunDrill& begun) {
  const auto named = [&](const char* part) {
    return respond::make_run_id(begun.scenario + part, begun.started, context.random);
  };
  begun.prepare_run = named("-prepare");
  begun.inject_run = named("-inject");
  begun.recovery_run = named("");
  begun.cleanup_run = named("-cleanup");
}

}  // namespace

Result<int> run_scenario_drill_command(CommandContext& context, const DrillArguments& arguments) {
  if (arguments.plan.empty())
    return Error(ErrorKind::kInvalidArgument, "which plan has the scenario " + arguments.scenario + " is not said",
                 "anclora drill run " + arguments.scenario + " --plan FILE --on ENVIRONMENT");
  ASSIGN_OR_RETURN(const ReadPlan read, read_plan_file(context, arguments.plan));
  RETURN_IF_ERROR(check_starter(read.plan, arguments.contact));
  ASSIGN_OR_RETURN(const Duration clean_within, duration_option("--clean-within", arguments.clean_within,
                                                                std::chrono::seconds(1), std::chrono::hours(24)));
  ASSIGN_OR_RETURN(const auto proven,
                   prove_sandbox(context, read.plan, arguments.environment, arguments.scenario, arguments.unattended));
  const plan::Scenario& scenario = *plan::find_scenario(read.plan, arguments.scenario);
  if (scenario.inject.empty())
    return Error(ErrorKind::kFailedPrecondition, scenario.id + " has no disaster to play",
                 "add inject: to the scenario");
  respond::BegunDrill begun = begun_now(context, scenario.id, &read);
  begun.environment = arguments.environment;
  begun.starter = arguments.contact;
  name_runs(context, begun);
  ASSIGN_OR_RETURN(const auto sandbox,
                   respond::lock_sandbox(context.files, drills_folder(context), begun.service, begun.environment));
  ASSIGN_OR_RETURN(respond::OpenDrill open,
                   respond::begin_drill(context.files, drills_folder(context), begun, read.bytes));
  ScenarioDrill drill(context, read, scenario, begun, arguments.yes);
  drill.record().checks = proven;
  const Status ran = drill.run();
  if (stop_requested()) {
    // Nothing runs to its end in a process that is being stopped: another one cleans up, as after a kill.
    open.lock.reset();
    return clean_in_a_child(context, open, scenario, clean_within, ran);
  }
  clean_sandbox(context, read.plan, read.bytes, begun.cleanup_run, drill.record());
  if (drill.record().achieved.rto || drill.record().reasons.empty())
    respond::judge_objectives(drill.record().objectives, drill.record().achieved, drill.record().reasons);
  ASSIGN_OR_RETURN(const int code, end_drill(context, std::move(drill.record())));
  return ran ? Result<int>(code) : Result<int>(ran.error());
}

}  // namespace anclora::app
