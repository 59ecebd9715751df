#include "respond/actions/service_action.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "plan/model/value_access.h"
#include "respond/actions/service_control.h"

namespace anclora::respond {
namespace {

constexpr Duration kPoll = std::chrono::milliseconds(50);

class ServiceAction final : public Action {
 public:
  ServiceAction(std::string name, FileSystem& files, Random& random)
      : name_(std::move(name)), files_(files), random_(random) {}

  Result<Observation> probe(StepContext& context) override {
    ASSIGN_OR_RETURN(const auto control, control_for(context));
    ASSIGN_OR_RETURN(const ServiceState state, control->look(context));
    Observation seen;
    seen.current = state.said;
    seen.desired = name_ == "service.stop" ? "none runs" : fmt::format("{} running", wanted(context));
    seen.call = control->call(name_ == "service.stop" ? "stop" : "start");
    if (name_ == "service.scale") {
      seen.call = fmt::format("scale to {} instances", wanted(context));
      seen.done = state.between == 0 && state.running == wanted(context) ? Done::kYes : Done::kNo;
      if (seen.done == Done::kYes) seen.outputs = {{"running", std::to_string(state.running)}};
      return seen;
    }
    // A restart is done when it was begun and what runs now was started by it: that cannot be seen, so it is repeated.
    const bool reached = name_ == "service.stop" ? state.running + state.between == 0
                                                 : name_ == "service.start" && state.running >= wanted(context);
    seen.done = reached ? Done::kYes : Done::kNo;
    if (reached) seen.outputs = {{"running", std::to_string(state.running)}};
    return seen;
  }

  Result<Outcome> execute(StepContext& context) override {
    ASSIGN_OR_RETURN(const auto control, control_for(context));
    if (name_ == "service.scale") return scale(context, *control, wanted(context), true);
    if (name_ != "service.start") RETURN_IF_ERROR(stop(context, *control));
    if (name_ != "service.stop") RETURN_IF_ERROR(start(context, *control));
    return Outcome{seen_->said, {{"running", std::to_string(seen_->running)}}};
  }

  Status verify(StepContext& context) override {
    if (seen_) return {};  // this attempt ended with a look that found it so; each is a program of its own
    ASSIGN_OR_RETURN(const auto control, control_for(context));
    if (name_ == "service.scale") return wait_for_exactly(context, *control, wanted(context));
    return name_ == "service.stop" ? wait_until(context, *control, 0) : wait_until(context, *control, wanted(context));
  }

  Result<Outcome> undo(StepContext& context) override {
    if (name_ == "service.restart")
      return Error(ErrorKind::kUnsupported, "a restart is not undone", "put its settings back and restart again");
    ASSIGN_OR_RETURN(const auto control, control_for(context));
    if (name_ == "service.scale") {
      const Outputs kept = context.kept();
      const auto before = kept.find("running");
      if (before == kept.end()) return Outcome{"nothing was changed", {}};
      return scale(context, *control, static_cast<std::uint32_t>(std::atoi(before->second.c_str())), false);
    }
    RETURN_IF_ERROR(name_ == "service.stop" ? start(context, *control) : stop(context, *control));
    return Outcome{name_ == "service.stop" ? "it runs again" : "it is stopped again", {}};
  }

 private:
  Result<std::unique_ptr<ServiceControl>> control_for(StepContext& context) {
    return service_control(context, context.target(plan::text_of(context.step().with, "target")), files_, random_);
  }
  static std::uint32_t wanted(StepContext& context) {
    const plan::Target& target = context.target(plan::text_of(context.step().with, "target"));
    // `recorded`: as many as before the disaster, which is what the target says.
    if (context.step().uses == "service.scale" && context.step().with.find("count") != nullptr)
      return plan::integer_of(context.step().with, "count", 0);
    return std::max(1U, plan::integer_of(context.step().with, "count", plan::integer_of(target.settings, "count", 1)));
  }
  Status stop(StepContext& context, ServiceControl& control) {
    RETURN_IF_ERROR(context.before_change(control.call("stop")));
    std::optional<Duration> grace;
    if (context.step().with.find("grace") != nullptr) grace = plan::duration_of(context.step().with, "grace");
    RETURN_IF_ERROR(control.stop(context, grace));
    return wait_until(context, control, 0);
  }
  Status start(StepContext& context, ServiceControl& control) {
    RETURN_IF_ERROR(context.before_change(control.call("start")));
    RETURN_IF_ERROR(control.start(context));
    return wait_until(context, control, wanted(context));
  }
  static Result<Outcome> scale(StepContext& context, ServiceControl& control, std::uint32_t count, bool remember) {
    ASSIGN_OR_RETURN(const ServiceState before, control.look(context));
    if (remember && !context.kept().contains("running"))
      RETURN_IF_ERROR(context.keep("running", std::to_string(before.running)));
    RETURN_IF_ERROR(context.before_change(fmt::format("scale from {} to {} instances", before.running, count)));
    RETURN_IF_ERROR(control.scale(context, count));
    RETURN_IF_ERROR(wait_for_exactly(context, control, count));
    return Outcome{fmt::format("{} running, {} before", count, before.running), {{"running", std::to_string(count)}}};
  }
  static Status wait_for_exactly(StepContext& context, ServiceControl& control, std::uint32_t count) {
    while (true) {
      ASSIGN_OR_RETURN(const ServiceState state, control.look(context));
      if (state.running == count && state.between == 0) return {};
      if (context.cancelled() || context.clock().mono_now() >= context.deadline())
        return Error(ErrorKind::kDeadlineExceeded, fmt::format("in time it only came to: {}", state.said),
                     "look at the service's own log");
      context.clock().sleep_for(kPoll);
    }
  }
  // 0: none runs, none is on its way; else at least so many run.
  Status wait_until(StepContext& context, ServiceControl& control, std::uint32_t count) {
    seen_.reset();
    while (true) {
      ASSIGN_OR_RETURN(ServiceState state, control.look(context));
      if (count == 0 ? state.running + state.between == 0 : state.running >= count) {
        seen_ = std::move(state);
        return {};
      }
      if (context.cancelled() || context.clock().mono_now() >= context.deadline())
        return Error(ErrorKind::kDeadlineExceeded, fmt::format("in time it only came to: {}", state.said),
                     "look at the service's own log");
      context.clock().sleep_for(kPoll);
    }
  }

  std::string name_;
  FileSystem& files_;
  Random& random_;
  std::optional<ServiceState> seen_;  // what the last wait_until() found
};

}  // namespace

std::unique_ptr<Action> make_service_action(std::string_view name, FileSystem& files, Random& random) {
  return std::make_unique<ServiceAction>(std::string(name), files, random);
}

}  // namespace anclora::respond
