#include "respond/actions/plan_probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "plan/model/value_access.h"
#include "protect/verify/verification_covers.h"
#include "respond/actions/service_control.h"
#include "storage/repository/source_state.h"

namespace anclora::respond {
namespace {

// What a probe lends to code that is written for steps: it looks, and may change nothing.
class LookContext final : public StepContext {
 public:
  LookContext(const plan::Plan& plan, const plan::Step& step, const PlanLookup& lookup, Clock& clock, Duration timeout)
      : plan_(plan), step_(step), lookup_(lookup), clock_(clock), deadline_(clock.mono_now() + timeout) {}
  const plan::Plan& plan() const override { return plan_; }
  const plan::Step& step() const override { return step_; }
  const plan::Target& target(std::string_view id) const override { return lookup_.target(id); }
  Result<Secret> resolve(std::string_view reference) const override { return lookup_.resolve(reference); }
  Result<Outputs> outputs_of(std::string_view) const override { return looks_only(); }
  bool drill() const override { return false; }
  const std::string& run_id() const override { return step_.id; }
  const std::string& idempotency_token() const override { return step_.id; }
  Clock& clock() override { return clock_; }
  MonoTime deadline() const override { return deadline_; }
  bool cancelled() const override { return false; }
  Status before_change(std::string_view) override { return looks_only(); }
  Status keep(std::string_view, std::string_view) override { return looks_only(); }
  Outputs kept() const override { return {}; }
  void note(std::string_view) override {}

 private:
  static Error looks_only() { return Error(ErrorKind::kFailedPrecondition, "a probe changes nothing"); }
  const plan::Plan& plan_;
  const plan::Step& step_;
  const PlanLookup& lookup_;
  Clock& clock_;
  MonoTime deadline_;
};

class ContextProbe : public Probe {
 public:
  ContextProbe(std::string_view uses, const plan::Value& with, const plan::Plan& plan, PlanLookup lookup,
               ProbeMeans means, Clock& clock)
      : means_(std::move(means)), plan_(plan), lookup_(std::move(lookup)), clock_(clock) {
    step_.id = step_.uses = uses;
    step_.with = with;
  }
  Reading look(Duration timeout) override {
    Reading reading;
    reading.at = clock_.wall_now();
    const MonoTime start = clock_.mono_now();
    LookContext context(plan_, step_, lookup_, clock_, timeout);
    if (const Status seen = look_at(context, reading); !seen.has_value()) {
      reading.state = ProbeState::kUnknown;
      reading.reason = seen.error().message();
    }
    reading.took = clock_.mono_now() - start;
    return reading;
  }

 protected:
  virtual Status look_at(StepContext& context, Reading& reading) = 0;
  static void judge(Reading& reading, std::string complaint) {
    reading.state = complaint.empty() ? ProbeState::kUp : ProbeState::kDown;
    reading.reason = std::move(complaint);
  }
  const ProbeMeans means_;

 private:
  const plan::Plan& plan_;
  const PlanLookup lookup_;
  Clock& clock_;
  plan::Step step_;
};

class ServiceProbe final : public ContextProbe {
  using ContextProbe::ContextProbe;
  Status look_at(StepContext& context, Reading& reading) override {
    const plan::Target& target = context.target(plan::text_of(context.step().with, "target"));
    ASSIGN_OR_RETURN(const auto control, service_control(context, target, means_.files, means_.random));
    ASSIGN_OR_RETURN(const ServiceState state, control->look(context));
    reading.facts["running"] = std::to_string(state.running);
    const std::uint32_t least = plan::integer_of(context.step().with, "at_least", 1);
    judge(reading, state.running >= least ? "" : fmt::format("{}, at least {} are needed", state.said, least));
    return {};
  }
};

class BackupProbe final : public ContextProbe {
  using ContextProbe::ContextProbe;
  Status look_at(StepContext& context, Reading& reading) override {
    const auto chosen = choose_source(context, means_.open);
    if (!chosen.has_value()) {
      const bool none = chosen.error().kind() == ErrorKind::kNotFound ||  // no repository, or it holds no such source
                        chosen.error().kind() == ErrorKind::kFailedPrecondition;
      if (!none) return chosen.error();
      judge(reading, chosen.error().message());
      return {};
    }
    const auto windows = storage::recovery_windows(chosen->state);
    if (windows.empty() || !chosen->state.head) {
      judge(reading, "nothing can be restored yet");
      return {};
    }
    const storage::RecoveryWindow& newest = windows.back();
    const Duration lag = backup_lag(chosen->state, newest, context.clock().wall_now());
    reading.facts["position"] = to_string(newest.to);
    reading.facts["lag_seconds"] = fmt::format("{:.3f}", static_cast<double>(lag.count()) / 1e6);
    const Duration limit = plan::duration_of(context.step().with, "max_lag");
    if (limit > Duration::zero() && lag > limit) {
      judge(reading,
            fmt::format("its newest point is {} behind, more than {}", format_duration(lag), format_duration(limit)));
      return {};
    }
    return judge_verification(context, *chosen, reading);
  }
  Status judge_verification(StepContext& context, const ChosenSource& chosen, Reading& reading) {
    judge(reading, "");
    const Duration within = plan::duration_of(context.step().with, "verified_within");
    if (within <= Duration::zero()) return {};
    if (!means_.verified)
      return Error(ErrorKind::kUnsupported, "verifications are not known here", "leave out verified_within");
    ASSIGN_OR_RETURN(const auto passed, means_.verified(chosen.opened));
    judge(reading, verification_complaint(passed, chosen.state, within, context.clock().wall_now()));
    return {};
  }
};

}  // namespace

// A source that writes nothing has nothing to lose: then the newest entry says that capture was there, and heard it.
Duration backup_lag(const storage::SourceState& state, const storage::RecoveryWindow& newest, WallTime now) {
  const storage::Head& head = *state.head;
  const redis::Offset seen = std::max(head.entry.source_offset, head.entry.last);
  const bool whole = newest.to.timeline == head.timeline && newest.to.offset >= seen && !head.entry.catching_up;
  return now - (whole ? std::max(head.stored, newest.to_time) : newest.to_time);
}

std::string verification_complaint(const std::optional<WallTime>& passed, const storage::SourceState& state,
                                   Duration within, WallTime now) {
  if (!passed) return "it was never verified, or the last verification failed";
  if (!protect::verification_covers(state, *passed))
    return "it was never verified: it came after the last verification";
  const Duration age = now - *passed;
  if (age <= within) return {};
  return fmt::format("its last verification is {} old, more than {}", format_duration(age), format_duration(within));
}

Result<std::unique_ptr<Probe>> make_plan_probe(std::string_view uses, const plan::Value& with, const plan::Plan& plan,
                                               const PlanLookup& lookup, const ProbeMeans& means, Clock& clock) {
  if (uses == "probe.service") return std::make_unique<ServiceProbe>(uses, with, plan, lookup, means, clock);
  if (uses == "probe.backup" && means.open)
    return std::make_unique<BackupProbe>(uses, with, plan, lookup, means, clock);
  return make_probe(uses, with, lookup, means.dialer, clock);
}

}  // namespace anclora::respond
