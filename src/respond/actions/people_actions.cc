#include "respond/actions/people_actions.h"

#include <chrono>
#include <string>

namespace anclora::respond {
namespace {

std::string text_of(const StepContext& context) {
  const plan::Value* text = context.step().with.find("text");
  return text == nullptr ? context.step().id : text->text;
}

class ApprovedAction final : public Action {
 public:
  Result<Observation> probe(StepContext& context) override {
    return Observation{Done::kNo, "not approved yet", "approved", "ask: " + text_of(context), {}};
  }
  Result<Outcome> execute(StepContext& context) override { return Outcome{"approved: " + text_of(context), {}}; }
  Status verify(StepContext&) override { return {}; }
  Result<Outcome> undo(StepContext&) override {
    return Error(ErrorKind::kUnsupported, "an approval cannot be undone", "undo what was approved");
  }
};

class ManualAction final : public Action {
 public:
  Result<Observation> probe(StepContext& context) override {
    return Observation{Done::kNo, "not done yet", "done by hand", "ask a person: " + text_of(context), {}};
  }
  Result<Outcome> execute(StepContext& context) override {
    context.note(text_of(context));
    while (!context.cancelled() && context.clock().mono_now() < context.deadline())
      context.clock().sleep_for(std::chrono::milliseconds(50));
    return Error(ErrorKind::kDeadlineExceeded, "nobody said that it is done: " + text_of(context));
  }
  Status verify(StepContext&) override { return {}; }
  Result<Outcome> undo(StepContext&) override {
    return Error(ErrorKind::kUnsupported, "what was done by hand is undone by hand");
  }
};

}  // namespace

std::unique_ptr<Action> make_approved_action() { return std::make_unique<ApprovedAction>(); }
std::unique_ptr<Action> make_manual_action() { return std::make_unique<ManualAction>(); }

}  // namespace anclora::respond
