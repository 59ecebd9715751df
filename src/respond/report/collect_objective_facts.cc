// What was achieved of the objectives: run_fact_parts.h.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include "base/whole_number.h"
#include "respond/report/run_fact_parts.h"
#include "respond/runbook/run_forecast.h"

namespace anclora::respond {
namespace {

bool names(const plan::Value& value, std::string_view id) {
  if (value.kind == plan::ValueKind::kScalar) return value.text == id;
  return std::ranges::any_of(value.items, [&](const plan::Value& each) { return names(each, id); }) ||
         std::ranges::any_of(value.entries, [&](const plan::Entry& each) { return names(each.value, id); });
}

// Whether the run works on this target, or on one that stands by for it.
bool concerns(const plan::Plan& plan, const RunPlan& run, const std::string& target) {
  const auto named = [&](const std::string& id) {
    return std::ranges::any_of(run.steps, [&](const RunStep& step) { return names(step.step.with, id); });
  };
  return named(target) || std::ranges::any_of(plan.targets, [&](const plan::Target& each) {
           return each.standby_of == target && named(each.id);
         });
}

// What one step measured: its data loss, and where it came from.
struct Loss {
  std::optional<Duration> lost;
  std::optional<std::uint64_t> writes;
  std::string step;
};

Loss measured_loss(const RunPlan& run, const RunState& state) {
  Loss loss;
  for (std::size_t i = 0; i < run.steps.size(); ++i) {
    const Outputs& outputs = state.steps[i].outputs;
    const auto number = [&](const char* name) {
      const auto found = outputs.find(name);
      return found == outputs.end() ? std::string() : found->second;
    };
    const std::string text = number("rpo_seconds");
    const double seconds = std::strtod(text.c_str(), nullptr);
    if (!text.empty() && std::isfinite(seconds) && std::abs(seconds) < 1e11) {
      const Duration lost(std::llround(seconds * 1e6));
      if (!loss.lost || lost > *loss.lost) {
        loss.lost = lost;
        loss.step = run.steps[i].step.id;
      }
    }
    auto writes = whole_number<std::uint64_t>(number("rpo_writes"));
    if (!writes) writes = whole_number<std::uint64_t>(number("commands_lost"));
    if (writes && (!loss.writes || *writes > *loss.writes)) loss.writes = writes;
  }
  return loss;
}

}  // namespace

void collect_rto(ReportFacts& facts, const RunPlan& run, const RunState& state, WallTime now) {
  const RtoSplit split = split_rto(run, state);
  ReportRto& rto = facts.rto;
  rto.objective = run.rto;
  rto.maximum = run.rto_max;
  rto.achieved = split.achieved;
  rto.detect = split.detect;
  rto.decide = split.decide;
  rto.act = split.act;
  rto.verify = split.verify;
  // Over without having restored the service is a miss, however short it was.
  const Duration elapsed = forecast(run, state, now).elapsed;
  const auto judge = [&](Duration limit) {
    if (limit <= Duration::zero()) return Verdict::kUnknown;
    if (split.achieved) return *split.achieved <= limit ? Verdict::kPassed : Verdict::kFailed;
    return state.over() || elapsed > limit ? Verdict::kFailed : Verdict::kUnknown;
  };
  rto.met = judge(run.rto);
  rto.met_max = judge(run.rto_max);
}

void collect_rpo(ReportFacts& facts, const plan::Plan& plan, const RunPlan& run, const RunState& state) {
  const Loss loss = measured_loss(run, state);
  for (const plan::DataObjective& data : plan.data) {
    const bool concerned =
        std::ranges::any_of(data.targets, [&](const std::string& target) { return concerns(plan, run, target); });
    if (!concerned) continue;
    ReportRpo rpo{data.id, data.rpo, loss.lost, loss.writes, data.proof, Verdict::kUnknown};
    if (!loss.step.empty()) rpo.proof = loss.step;
    if (loss.lost && data.rpo > Duration::zero())
      rpo.met = *loss.lost <= data.rpo ? Verdict::kPassed : Verdict::kFailed;
    facts.rpo.push_back(std::move(rpo));
  }
  if (facts.rpo.empty() && (loss.lost || loss.writes))
    facts.rpo.push_back({"", Duration::zero(), loss.lost, loss.writes, loss.step, Verdict::kUnknown});
}

}  // namespace anclora::respond
