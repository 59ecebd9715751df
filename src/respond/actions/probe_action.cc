#include "respond/actions/probe_action.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "plan/model/value_access.h"
#include "respond/actions/redis_server.h"

namespace anclora::respond {
namespace {

constexpr Duration kBetweenLooks = std::chrono::milliseconds(50);
constexpr Duration kLongestLook = std::chrono::seconds(5);

class ProbeAction final : public Action {
 public:
  explicit ProbeAction(ProbeMeans means) : means_(std::move(means)) {}

  Result<Observation> probe(StepContext& context) override {
    ASSIGN_OR_RETURN(const auto made, make(context));
    const Reading reading = made->look(look_time(context));
    Observation seen;
    seen.done = Done::kNo;  // it is only looking: a resumed run looks again
    seen.current = describe(reading);
    seen.desired = expected(context);
    seen.call = "look";
    return seen;
  }

  Result<Outcome> execute(StepContext& context) override {
    ASSIGN_OR_RETURN(const auto made, make(context));
    const std::uint32_t needed =
        std::max(1U, plan::integer_of(context.step().with, "in_a_row", default_in_a_row(context)));
    std::uint32_t seen = 0;
    std::optional<Reading> telling;  // the last look may be cut by the deadline, and then says nothing
    while (true) {
      const Reading reading = made->look(look_time(context));
      if (reading.state != ProbeState::kUnknown || !telling) telling = reading;
      seen = to_string(reading.state) == expected(context) ? seen + 1 : 0;
      if (seen >= needed) {
        Outputs outputs(reading.facts.begin(), reading.facts.end());
        outputs["state"] = to_string(reading.state);
        return Outcome{fmt::format("{} {} in a row", describe(reading), needed), std::move(outputs)};
      }
      if (context.cancelled() || context.clock().mono_now() + kBetweenLooks >= context.deadline())
        return Error(ErrorKind::kDeadlineExceeded,
                     fmt::format("expected {}, but it is {}", expected(context), describe(*telling)));
      context.clock().sleep_for(kBetweenLooks);
    }
  }

  Status verify(StepContext&) override { return {}; }  // looking was all
  Result<Outcome> undo(StepContext&) override { return Outcome{"nothing was changed", {}}; }

 private:
  static std::string expected(StepContext& context) { return plan::text_of(context.step().with, "is", "up"); }
  static std::string describe(const Reading& reading) {
    return std::string(to_string(reading.state)) + (reading.reason.empty() ? "" : ", " + reading.reason);
  }
  static Duration look_time(StepContext& context) {
    return std::clamp<Duration>(context.deadline() - context.clock().mono_now(), std::chrono::milliseconds(1),
                                kLongestLook);
  }
  static const plan::Probe* named_probe(StepContext& context) {
    if (context.step().uses != "wait.until") return nullptr;
    const auto& probes = context.plan().probes;
    const auto found = std::ranges::find(probes, plan::text_of(context.step().with, "probe"), &plan::Probe::id);
    return found == probes.end() ? nullptr : &*found;
  }
  static std::uint32_t default_in_a_row(StepContext& context) {
    const plan::Probe* named = named_probe(context);
    if (named == nullptr) return 1;
    return expected(context) == "up" ? named->good_in_a_row : named->bad_in_a_row;
  }
  Result<std::unique_ptr<Probe>> make(StepContext& context) {
    const PlanLookup lookup = lookup_of(context);
    if (const plan::Probe* named = named_probe(context); named != nullptr)
      return make_plan_probe(named->uses, named->with, context.plan(), lookup, means_, context.clock());
    return make_plan_probe(context.step().uses, context.step().with, context.plan(), lookup, means_, context.clock());
  }

  ProbeMeans means_;
};

}  // namespace

std::unique_ptr<Action> make_probe_action(ProbeMeans means) { return std::make_unique<ProbeAction>(std::move(means)); }

}  // namespace anclora::respond
