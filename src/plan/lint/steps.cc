// Each step by itself: budgets, timeouts, approvals, programs, and what this version cannot execute.
#include <fmt/format.h>

#include <algorithm>

#include "plan/lint/lint.h"
#include "plan/lint/plan_lookup.h"
#include "plan/lint/shell_words.h"
#include "plan/model/value_access.h"
#include "plan/schema/span.h"
#include "plan/schema/target_schema.h"

namespace anclora::plan {
namespace {

void check_times(const Step& step, Findings& findings) {
  if (step.budget == Duration::zero())
    add_error(findings, "step.no_budget", step.place,
              fmt::format("step \"{}\" has no budget: the RTO cannot be proved", step.id),
              "add budget: how long it normally takes");
  if (step.timeout == Duration::zero())
    add_warning(findings, "step.no_timeout", step.place, fmt::format("step \"{}\" has no timeout", step.id),
                "add timeout: when the engine gives up");
  else if (step.timeout < step.budget)
    add_error(findings, "step.timeout_below_budget", step.place,
              fmt::format("step \"{}\" is given up after {} but may take {}", step.id, format_span(step.timeout),
                          format_span(step.budget)),
              "timeout must be at least budget");
}

void check_approval(const Plan& plan, const Approval& approval, const std::string& where, Findings& findings) {
  if (approval.timeout == Duration::zero())
    add_error(findings, "approval.no_timeout", approval.place, fmt::format("the approval of {} waits for ever", where),
              "add timeout: 2m");
  std::size_t people = 0;
  for (const Contact& contact : plan.contacts)
    if (std::ranges::any_of(approval.roles, [&](const std::string& role) {
          return std::ranges::find(contact.roles, role) != contact.roles.end();
        }))
      ++people;
  if (approval.need == 0)
    add_error(findings, "approval.need", approval.place, fmt::format("the approval of {} needs nobody", where),
              "write need: 1, or leave approve out");
  else if (!approval.roles.empty() && people < approval.need)
    add_error(findings, "approval.too_few", approval.place,
              fmt::format("the approval of {} needs {} of the roles {}; the contacts have {}", where, approval.need,
                          fmt::join(approval.roles, ", "), people),
              "give the roles to contacts, or need fewer");
}

void check_availability(const Plan& plan, const Step& step, Findings& findings) {
  const ActionSchema* action = find_action(step.uses);
  if (action == nullptr) return;
  if (!action->available) {
    add_warning(findings, "action.unavailable", step.place,
                fmt::format("step \"{}\": this version checks {} and does not execute it", step.id, step.uses),
                "until then do it by hand: run done with evidence, or people.manual");
    return;
  }
  for (const NamedTarget& named : targets_of(plan, step.uses, step.with)) {
    const TargetSchema* schema = find_target_schema(named.target->kind);
    const DriverSchema* driver =
        schema == nullptr ? nullptr : find_driver(*schema, text_of(named.target->settings, "driver"));
    if (driver != nullptr && !driver->available)
      add_warning(findings, "action.unavailable", step.place,
                  fmt::format("step \"{}\": this version does not execute {} with the driver {}", step.id, step.uses,
                              driver->name),
                  "until then do it by hand: run done with evidence, or another driver");
  }
}

void check_program(const Plan& plan, const Step& step, Findings& findings) {
  const Value* argv = step.with.find("argv");
  if (step.uses != "exec" || argv == nullptr) return;
  if (runs_a_shell(*argv))
    add_error(findings, "exec.shell", argv->place, fmt::format("step \"{}\" runs a shell", step.id),
              "name the program itself and its arguments, or put the script into a file and allow that");
  const Target* target = find_target(plan, text_of(step.with, "target"));
  const Value* allow = target == nullptr ? nullptr : target->settings.find("allow");
  if (allow == nullptr || argv->items.empty()) return;
  const bool allowed = std::ranges::any_of(allow->items, [&](const Value& item) {
    const Value* prefix = item.find("argv");
    return prefix != nullptr && !prefix->items.empty() && prefix->items.size() <= argv->items.size() &&
           std::equal(prefix->items.begin(), prefix->items.end(), argv->items.begin(),
                      [](const Value& a, const Value& b) { return a.text == b.text; });
  });
  if (!allowed)
    add_error(findings, "exec.not_allowed", argv->place,
              fmt::format("\"{}\" is not in the allow-list of \"{}\"", argv->items.front().text, target->id),
              "add its leading arguments to the target's allow");
}

// "As many as before the disaster" is what the target says; without it one instance would be taken for all of them.
void check_recorded_count(const Plan& plan, const Step& step, Findings& findings) {
  if (step.uses != "service.scale" || step.with.find("recorded") == nullptr) return;
  const Target* target = find_target(plan, text_of(step.with, "target"));
  if (target == nullptr || target->settings.find("count") != nullptr) return;
  add_error(findings, "step.incomplete", place_of(step.with, "recorded"),
            fmt::format("target \"{}\" does not say how many instances normally run", target->id),
            "add count: to the target");
}

void check_alternatives(const Step& step, Findings& findings) {
  // An empty list and `recorded: false` say nothing.
  const auto has = [&](const char* key) {
    const Value* value = step.with.find(key);
    return value != nullptr && !(value->kind == ValueKind::kList && value->items.empty()) &&
           !(std::string_view(key) == "recorded" && value->text == "false");
  };
  const auto complain = [&](std::string message, std::string hint) {
    add_error(findings, "step.incomplete", step.with.place, std::move(message), std::move(hint));
  };
  if (step.uses == "config.put" && has("value") == has("from"))
    complain(fmt::format("step \"{}\" needs value or from, one of them", step.id),
             "from: [promote, restore] takes the address that the first of them left");
  if (is_one_of(step, {"redis.verify", "redis.switch"})) {
    const char* direct = step.uses == "redis.verify" ? "target" : "to";
    if (has(direct) == has("from"))
      complain(fmt::format("step \"{}\" needs {} or from, one of them", step.id, direct),
               "from: names the steps that left the server");
  }
  if (is_one_of(step, {"service.scale", "ecs.scale"}) && has("count") == has("recorded"))
    complain(fmt::format("step \"{}\" needs count or recorded, one of them", step.id),
             "recorded: true is as many as before the disaster");
  if (step.uses == "redis.evidence" && (has("rdb_max_mib") || has("rdb_within")) && !(has("to") && has("rdb_max_mib")))
    complain(fmt::format("step \"{}\" keeps no RDB: that needs to and rdb_max_mib", step.id),
             "to: a folder, rdb_max_mib: how large it may be");
  if (step.uses == "probe.tcp" && has("target") == has("address"))
    complain(fmt::format("step \"{}\" needs target or address, one of them", step.id), "name a target of the plan");
}

// The target has to say so itself: a plan with a wrong name must not fill a server that serves.
void check_restore_target(const Plan& plan, const Step& step, Findings& findings) {
  if (step.uses != "redis.restore") return;
  const Target* target = find_target(plan, text_of(step.with, "to"));
  if (target == nullptr || boolean_of(target->settings, "allow_restore", false)) return;
  add_error(findings, "step.restore_not_allowed", place_of(step.with, "to"),
            fmt::format("target \"{}\" does not allow to be filled", target->id),
            "add allow_restore: true to the target, if it is the right one");
}

}  // namespace

void lint_steps(const Plan& plan, Findings& findings) {
  for (const Scenario& scenario : plan.scenarios) {
    if (scenario.declare)
      check_approval(plan, *scenario.declare, "the declaration of \"" + scenario.id + "\"", findings);
    for (const Step& step : scenario.steps) check_times(step, findings);
    for (const auto* steps : scenario.step_lists())
      for (const Step& step : *steps) {
        if (step.approve) check_approval(plan, *step.approve, "step \"" + step.id + "\"", findings);
        check_availability(plan, step, findings);
        check_program(plan, step, findings);
        check_alternatives(step, findings);
        check_recorded_count(plan, step, findings);
        check_restore_target(plan, step, findings);
      }
  }
}

}  // namespace anclora::plan
