// What a step is given, by the plan or by a step before it: values of a form that its action can use.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "plan/lint/lint.h"
#include "plan/lint/plan_lookup.h"
#include "plan/model/value_access.h"
#include "plan/schema/span.h"

namespace anclora::plan {
namespace {

using Steps = std::vector<Step>;

const Step* find_step(const Steps& steps, const Value* name) {
  if (name == nullptr) return nullptr;
  const auto found = std::ranges::find(steps, name->text, &Step::id);
  return found == steps.end() ? nullptr : &*found;
}

void check_point(const Steps& steps, const Step& step, Findings& findings) {
  const Step* chooser = find_step(steps, step.with.find("point"));
  if (chooser == nullptr) return;
  const std::string from = text_of(chooser->with, "repository");
  const std::string here = text_of(step.with, "repository", from);
  if (!from.empty() && from != here)
    add_error(findings, "step.other_repository", place_of(step.with, "repository"),
              fmt::format("step \"{}\" reads \"{}\"; its point was chosen in \"{}\"", step.id, here, from),
              "name the same repository in both");
}

void check_from(const Steps& steps, const Step& step, Findings& findings) {
  const Value* from = step.with.find("from");
  const bool wants_server = is_one_of(step, {"redis.verify", "redis.switch"}) ||
                            (step.uses == "config.put" && text_of(step.with, "output", "url") == "url");
  if (from == nullptr || !wants_server) return;
  for (const Value& name : from->items) {
    const Step* source = find_step(steps, &name);
    if (source != nullptr && !is_one_of(*source, {"redis.promote", "redis.restore", "redis.switch"}))
      add_error(findings, "step.no_server", name.place,
                fmt::format("step \"{}\" ({}) leaves no server for \"{}\"", source->id, source->uses, step.id),
                "name a step that uses redis.promote, redis.restore or redis.switch");
  }
}

void check_unless(const Steps& steps, const Step& step, Findings& findings) {
  const Value* unless = step.with.find("unless");
  const Step* other = find_step(steps, unless);
  if (other != nullptr && other->uses != "redis.promote")
    add_error(
        findings, "step.no_server", unless->place,
        fmt::format("step \"{}\" ({}) promotes nothing: \"{}\" would always be done", other->id, other->uses, step.id),
        "name a step that uses redis.promote, or leave unless out");
}

void check_candidates(const Plan& plan, const Step& step, Findings& findings) {
  if (step.uses != "redis.promote") return;
  std::set<std::string_view> seen;
  const auto named = targets_of(plan, step.uses, step.with);
  for (const NamedTarget& candidate : named) {
    const bool is_primary = text_of(candidate.target->settings, "role") == "primary";
    if (is_primary || !seen.insert(candidate.target->id).second)
      add_error(findings, "step.candidate", candidate.place,
                fmt::format("\"{}\" {}", candidate.target->id,
                            is_primary ? "is the primary that failed, and no candidate" : "stands twice"),
                "name each replica once, in the order of preference");
  }
}

// The forms of WHEN, as docs/json.md and `restore --at` have them.
bool is_moment(std::string_view text) {
  for (const std::string_view start : {"tag:", "offset:", "before:"})
    if (text.starts_with(start)) return text.size() > start.size();
  if (text.ends_with("ago")) {
    text.remove_suffix(3);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return parse_duration(text).has_value();
  }
  return text == "latest" || parse_rfc3339(text).has_value();
}

void check_moments(const Step& step, Findings& findings) {
  if (!is_one_of(step, {"recovery_point.select", "recovery_point.bisect"})) return;
  for (const char* key : {"at", "good", "bad"})
    if (const Value* value = step.with.find(key); value != nullptr && !is_moment(value->text))
      add_error(findings, "value.moment", value->place,
                fmt::format("\"{}\" of step \"{}\" is no moment", value->text.substr(0, 60), step.id),
                "write latest, a time such as 2026-11-24T12:34:56Z, \"5m ago\", tag:NAME, offset:N or before:N");
}

void check_canary(const Plan& plan, const Step& step, Findings& findings) {
  if (step.uses != "queue.canary") return;
  const Target* queue = find_target(plan, text_of(step.with, "target"));
  if (queue != nullptr && queue->settings.find("api") == nullptr)
    add_error(findings, "step.incomplete", place_of(step.with, "target"),
              fmt::format("queue \"{}\" has no api: step \"{}\" adds its job by the service's own interface", queue->id,
                          step.id),
              "add api: a target of kind http, to the queue");
  if (const Value* payload = step.with.find("payload"); payload != nullptr && !nlohmann::json::accept(payload->text))
    add_error(findings, "value.json", payload->place, fmt::format("the payload of step \"{}\" is no JSON", step.id),
              R"(write '{"test": "message"}')");
  const Duration within = duration_of(step.with, "within");
  if (step.timeout > Duration::zero() && within > step.timeout)
    add_error(findings, "step.timeout_below_budget", place_of(step.with, "within"),
              fmt::format("step \"{}\" is given up after {} and waits for its job for {}", step.id,
                          format_span(step.timeout), format_span(within)),
              "timeout must be at least within");
}

void check_key(const Plan& plan, const Step& step, Findings& findings) {
  const Value* key = step.with.find("key");
  const Target* target = find_target(plan, text_of(step.with, "target"));
  if (step.uses != "config.put" || key == nullptr || target == nullptr ||
      text_of(target->settings, "driver") != "file" || text_of(target->settings, "format", "env") != "env")
    return;
  if (key->text.find_first_of(" \t\r\n=#'\"$\\") != std::string::npos)
    add_error(findings, "value.key", key->place,
              fmt::format("\"{}\" of step \"{}\" cannot be the name of a variable", key->text.substr(0, 60), step.id),
              "write a name such as REDIS_URL");
}

void check_count(const Step& step, Findings& findings) {
  if (step.uses == "service.start" && step.with.find("count") != nullptr && integer_of(step.with, "count", 1) == 0)
    add_error(findings, "step.incomplete", place_of(step.with, "count"),
              fmt::format("step \"{}\" starts nothing", step.id), "count: at least 1, or leave it out");
}

void check_exit_code(const Step& step, Findings& findings) {
  if (step.uses == "exec" && integer_of(step.with, "exit_code", 0) > 255)
    add_error(findings, "value.integer", place_of(step.with, "exit_code"),
              fmt::format("step \"{}\" waits for an exit code that no program has", step.id), "write 0 to 255");
}

}  // namespace

void lint_results(const Plan& plan, Findings& findings) {
  for (const Scenario& scenario : plan.scenarios)
    for (const Steps* steps : scenario.step_lists())
      for (const Step& step : *steps) {
        check_point(*steps, step, findings);
        check_from(*steps, step, findings);
        check_unless(*steps, step, findings);
        check_candidates(plan, step, findings);
        check_moments(step, findings);
        check_canary(plan, step, findings);
        check_key(plan, step, findings);
        check_count(step, findings);
        check_exit_code(step, findings);
      }
}

}  // namespace anclora::plan
