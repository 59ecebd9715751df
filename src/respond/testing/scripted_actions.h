// Actions that do what a test says, and count what they did: the world that a run under test acts on.
//
//   test.act   changes, may be repeated, can be undone       test.once  changes, must not be repeated
//   test.look  changes nothing                               wait.until likewise, for the scenario's `restored`
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "respond/runbook/action.h"
#include "respond/runbook/run_plan.h"

namespace anclora::respond::testing {

struct StepScript {
  int fail_execute = 0;        // so many times
  int fail_verify = 0;         // likewise
  bool blind = false;          // probe cannot tell
  bool announce_only = false;  // fails after before_change, without the effect
  std::function<void()> before_announcing;
  std::function<void()> in_execute;       // between before_change and the effect
  std::function<void(StepContext&)> see;  // as execute begins
  std::function<void(StepContext&)> in_undo;
  ErrorKind error = ErrorKind::kUnavailable;
};

// Thread rule: any thread. Survives the runs that act on it, as the outside does.
class ScriptedActions final : public ActionRegistry {
 public:
  Result<std::unique_ptr<Action>> make(std::string_view uses) override;
  StepScript& script(const std::string& step);
  void make_it_so(const std::string& step) { add("effect", step); }  // by somebody else
  int effects(const std::string& step);                              // how often the step changed the world
  std::vector<std::string> log();  // "execute a", "effect a", "verify a", "undo a", in order

  static const plan::ActionSchema* schema(std::string_view uses);

 private:
  friend class ScriptedAction;
  void add(const std::string& what, const std::string& step);
  bool take(int StepScript::* counter, const std::string& step);

  std::mutex mutex_;
  std::map<std::string, StepScript> scripts_;
  std::map<std::string, int> effects_;
  std::vector<std::string> log_;
};

plan::Step make_step(std::string id, std::string uses, std::vector<std::string> needs = {});
// A plan with one scenario "s" of these steps, and the contacts ada (oncall), bob (lead), cyd (lead, oncall).
plan::Plan make_plan(std::vector<plan::Step> steps);

}  // namespace anclora::respond::testing
