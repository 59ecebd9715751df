#include "respond/testing/scripted_actions.h"

#include <algorithm>
#include <utility>

namespace anclora::respond::testing {

class ScriptedAction final : public Action {
 public:
  ScriptedAction(ScriptedActions& world, bool mutates) : world_(world), mutates_(mutates) {}

  Result<Observation> probe(StepContext& context) override {
    const std::string& step = context.step().id;
    world_.add("probe", step);
    const bool there = world_.effects(step) > 0;
    Observation seen;
    seen.done = world_.script(step).blind ? Done::kUnknown : there ? Done::kYes : Done::kNo;
    seen.current = there ? "there" : "not there";
    seen.desired = "there";
    seen.call = "make " + step;
    seen.outputs = {{"made", step}};
    return seen;
  }

  Result<Outcome> execute(StepContext& context) override {
    const std::string& step = context.step().id;
    StepScript& script = world_.script(step);
    world_.add("execute", step);
    if (script.see) script.see(context);
    if (world_.take(&StepScript::fail_execute, step) && !script.announce_only)
      return Error(script.error, "it would not do it");
    if (mutates_) {
      RETURN_IF_ERROR(context.keep("before", "nothing"));
      if (script.before_announcing) script.before_announcing();
      if (const Status may = context.before_change("make " + step); !may) {
        world_.add("refused", step);
        return may.error();
      }
      if (script.announce_only) return Error(script.error, "it failed half-way");
      if (script.in_execute) script.in_execute();
      world_.add("effect", step);
    } else if (script.in_execute) {
      script.in_execute();
    }
    return Outcome{"made " + step, {{"made", step}}};
  }

  Status verify(StepContext& context) override {
    const std::string& step = context.step().id;
    world_.add("verify", step);
    if (world_.take(&StepScript::fail_verify, step)) return Error(world_.script(step).error, "it is not there yet");
    if (mutates_ && world_.effects(step) == 0) return Error(ErrorKind::kFailedPrecondition, "it is not there");
    return {};
  }

  Result<Outcome> undo(StepContext& context) override {
    const std::string& step = context.step().id;
    if (world_.script(step).in_undo) world_.script(step).in_undo(context);
    RETURN_IF_ERROR(context.before_change("unmake " + step));
    world_.add("undo", step);
    return Outcome{"brought back " + context.kept()["before"], {}};
  }

  Outputs left_by_hand(const plan::Step& step) const override { return {{"made", step.id + " by hand"}}; }

 private:
  ScriptedActions& world_;
  const bool mutates_;
};

Result<std::unique_ptr<Action>> ScriptedActions::make(std::string_view uses) {
  const plan::ActionSchema* known = schema(uses);
  if (known == nullptr) return Error(ErrorKind::kUnsupported, "no such action");
  return std::unique_ptr<Action>(new ScriptedAction(*this, known->mutates));
}

StepScript& ScriptedActions::script(const std::string& step) {
  const std::scoped_lock lock(mutex_);
  return scripts_[step];
}

int ScriptedActions::effects(const std::string& step) {
  const std::scoped_lock lock(mutex_);
  return effects_[step];
}

std::vector<std::string> ScriptedActions::log() {
  const std::scoped_lock lock(mutex_);
  return log_;
}

void ScriptedActions::add(const std::string& what, const std::string& step) {
  const std::scoped_lock lock(mutex_);
  log_.push_back(what + " " + step);
  if (what == "effect") ++effects_[step];
  if (what == "undo") effects_[step] = 0;
}

bool ScriptedActions::take(int StepScript::* counter, const std::string& step) {
  const std::scoped_lock lock(mutex_);
  int& left = scripts_[step].*counter;
  return left > 0 && left-- > 0;
}

const plan::ActionSchema* ScriptedActions::schema(std::string_view uses) {
  static const std::vector<plan::ActionSchema> kSchemas = [] {
    std::vector<plan::ActionSchema> schemas(4);
    schemas[0].name = "test.act";
    schemas[0].undoable = true;
    schemas[1].name = "test.once";
    schemas[1].idempotent = false;
    schemas[2].name = "test.look";
    schemas[2].mutates = false;
    schemas[3].name = "wait.until";
    schemas[3].mutates = false;
    return schemas;
  }();
  const auto found = std::ranges::find(kSchemas, uses, &plan::ActionSchema::name);
  return found == kSchemas.end() ? nullptr : &*found;
}

plan::Step make_step(std::string id, std::string uses, std::vector<std::string> needs) {
  plan::Step step;
  step.id = std::move(id);
  step.uses = std::move(uses);
  step.needs = std::move(needs);
  step.budget = std::chrono::seconds(10);
  step.timeout = std::chrono::seconds(30);
  return step;
}

plan::Plan make_plan(std::vector<plan::Step> steps) {
  plan::Plan plan;
  plan.file = "plan.yaml";
  plan.service = "shop";
  plan.severities.push_back({"critical", std::chrono::minutes(15), std::chrono::minutes(30), {}});
  plan::Scenario scenario;
  scenario.id = "s";
  scenario.severity = "critical";
  scenario.steps = std::move(steps);
  plan.scenarios.push_back(std::move(scenario));
  for (const auto& [id, roles] : std::map<std::string, std::vector<std::string>>{
           {"ada", {"oncall"}}, {"bob", {"lead"}}, {"cyd", {"lead", "oncall"}}}) {
    plan::Contact contact;
    contact.id = id;
    contact.roles = roles;
    plan.contacts.push_back(std::move(contact));
  }
  return plan;
}

}  // namespace anclora::respond::testing
