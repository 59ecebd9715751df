#include "respond/actions/bisect_action.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "plan/model/value_access.h"
#include "protect/restore/restore_plan.h"
#include "protect/restore/scratch_restore.h"
#include "respond/bisect/bisection.h"
#include "respond/bisect/moment_check.h"
#include "respond/detect/probe_maker.h"

namespace anclora::respond {
namespace {

class BisectAction final : public Action {
 public:
  explicit BisectAction(RestoreMeans means) : means_(std::move(means)) {}

  Result<Observation> probe(StepContext& context) override {
    ASSIGN_OR_RETURN(const ChosenSource chosen, choose_source(context, means_.open));
    ASSIGN_OR_RETURN(const MomentCheck check, check_of(context));
    Observation seen;
    seen.done = Done::kNo;  // it only looks: a resumed run searches again
    seen.current = "not searched";
    seen.desired = fmt::format("the last moment at which the {} invariants of {} hold", check.rules.size(),
                               plan::text_of(context.step().with, "check"));
    seen.call = "restores of " + chosen.source + " into scratch servers";
    return seen;
  }

  Result<Outcome> execute(StepContext& context) override {
    const plan::Value& with = context.step().with;
    ASSIGN_OR_RETURN(const MomentCheck check, check_of(context));
    ASSIGN_OR_RETURN(const ChosenSource chosen, choose_source(context, means_.open));
    const WallTime now = context.clock().wall_now();
    ASSIGN_OR_RETURN(const protect::When until, protect::parse_when(plan::text_of(with, "bad", "latest")));
    ASSIGN_OR_RETURN(const protect::RecoveryPoint bad, protect::resolve(chosen.view(), until, now));
    ASSIGN_OR_RETURN(const protect::RecoveryPoint good, good_end(context, chosen, bad, now));
    const std::uint32_t most = plan::integer_of(with, "max_restores", 64);
    std::uint32_t tried = 0;
    const JudgePoint judge = [&](const protect::RecoveryPoint& point) -> Result<BisectTrial> {
      if (++tried > most)
        return Error(ErrorKind::kResourceExhausted, fmt::format("not found within {} restores", most),
                     "narrow it by \"good\" and \"bad\", or raise max_restores");
      ASSIGN_OR_RETURN(BisectTrial trial, judge_point(context, chosen, check, point));
      context.note(fmt::format("{} {}: {}", to_string(point.position),
                               trial.judgement == Judgement::kGood ? "good" : "bad", trial.said));
      return trial;
    };
    ASSIGN_OR_RETURN(const BisectOutcome found, bisect(chosen.view(), good, bad, now, judge));
    ASSIGN_OR_RETURN(const protect::RestorePlan plan, protect::make_restore_plan(chosen.state, found.last_good));
    const std::string suspect = found.suspects.empty() ? "" : found.suspects.front().command;
    return Outcome{fmt::format("the last good moment is {} ({}); then came: {}", to_string(found.last_good.position),
                               format_rfc3339(found.last_good.time), suspect),
                   {{"source", chosen.source},
                    {"position", to_string(found.last_good.position)},
                    {"time", format_rfc3339(found.last_good.time)},
                    {"rpo_seconds", fmt::format("{:.3f}", static_cast<double>(plan.distance.behind.count()) / 1e6)},
                    {"base", plan.route.base.name},
                    {"restores", std::to_string(found.trials.size())},
                    {"suspect", suspect}}};
  }

  Status verify(StepContext&) override { return {}; }  // each end of what was found was restored and judged
  Result<Outcome> undo(StepContext&) override { return Outcome{"nothing was changed", {}}; }

 private:
  static Result<MomentCheck> check_of(StepContext& context) {
    const std::string id = plan::text_of(context.step().with, "check");
    const auto& probes = context.plan().probes;
    const auto found = std::ranges::find(probes, id, &plan::Probe::id);
    if (found == probes.end() || found->uses != "probe.keyspace")
      return Error(ErrorKind::kInvalidArgument, fmt::format("\"{}\" is no probe.keyspace of the plan", id));
    MomentCheck check;
    ASSIGN_OR_RETURN(check.rules, keyspace_rules_of(found->with));
    if (check.rules.empty())
      return Error(ErrorKind::kInvalidArgument, fmt::format("the probe {} has no invariants", id));
    return check;
  }

  // `good`, or as far back as one can go from `bad` without crossing a gap.
  static Result<protect::RecoveryPoint> good_end(StepContext& context, const ChosenSource& chosen,
                                                 const protect::RecoveryPoint& bad, WallTime now) {
    if (const std::string text = plan::text_of(context.step().with, "good"); !text.empty()) {
      ASSIGN_OR_RETURN(const protect::When since, protect::parse_when(text));
      return protect::resolve(chosen.view(), since, now);
    }
    for (const storage::RecoveryWindow& window : storage::recovery_windows(chosen.state))
      if (window.from.timeline == bad.position.timeline && window.from <= bad.position && bad.position <= window.to)
        return protect::resolve(chosen.view(), protect::WhenOffset{window.from.timeline, window.from.offset}, now);
    return Error(ErrorKind::kNotFound, "no recovery window holds " + to_string(bad.position));
  }

  Result<BisectTrial> judge_point(StepContext& context, const ChosenSource& chosen, const MomentCheck& check,
                                  const protect::RecoveryPoint& point) {
    const MonoTime start = context.clock().mono_now();
    ASSIGN_OR_RETURN(const protect::RestorePlan plan, protect::make_restore_plan(chosen.state, point));
    protect::ScratchSettings settings;
    settings.work_directory = means_.work_directory;
    const protect::RestoreTools tools{means_.files, context.clock(), means_.random, means_.dialer, [&context] {
                                        return context.cancelled() || context.clock().mono_now() >= context.deadline();
                                      }};
    ASSIGN_OR_RETURN(const auto scratch,
                     protect::ScratchRestore::bring_up(
                         {chosen.opened.store.get(), &chosen.opened.repository, chosen.state, plan.route}, plan,
                         settings, tools, {}));
    ASSIGN_OR_RETURN(const CheckAnswer answer, ask(check, scratch->server().client(), scratch->server().directory(),
                                                   means_.files, context.clock()));
    return BisectTrial{point, answer.judgement, answer.said, context.clock().mono_now() - start};
  }

  RestoreMeans means_;
};

}  // namespace

std::unique_ptr<Action> make_recovery_point_bisect(RestoreMeans means) {
  return std::make_unique<BisectAction>(std::move(means));
}

}  // namespace anclora::respond
