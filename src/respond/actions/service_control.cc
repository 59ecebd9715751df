#include "respond/actions/service_control.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <csignal>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <utility>

#include "base/subprocess.h"
#include "plan/model/value_access.h"

namespace anclora::respond {
namespace {

constexpr Duration kPoll = std::chrono::milliseconds(50);
constexpr std::size_t kShown = 300;

std::string first_line(const std::string& output) { return output.substr(0, std::min(output.find('\n'), kShown)); }

// What all drivers share: one program with a verb, whose output says what runs.
class CommandControl : public ServiceControl {
 public:
  CommandControl(FileSystem& files, Random& random) : files_(files), random_(random) {}

  Status stop(StepContext& context) override { return act(context, "stop"); }
  Status start(StepContext& context) override { return act(context, "start"); }
  std::string call(std::string_view verb) const override { return fmt::format("{}", fmt::join(argv(verb), " ")); }
  // Where instances are named and fixed: the first so many run, the others do not.
  Status scale(StepContext& context, std::uint32_t count) override {
    ASSIGN_OR_RETURN(const ServiceState state, look(context));
    if (count > state.instances.size())
      return Error(ErrorKind::kUnsupported,
                   fmt::format("{} instances are asked for, {} are configured", count, state.instances.size()),
                   "add them to the supervisor's own configuration first");
    const auto middle = state.instances.begin() + count;
    if (count > 0) RETURN_IF_ERROR(act(context, argv_for("start", {state.instances.begin(), middle})));
    if (count == state.instances.size()) return {};
    return act(context, argv_for("stop", {middle, state.instances.end()}));
  }

 protected:
  virtual std::vector<std::string> argv(std::string_view verb) const = 0;
  // The verb for some instances only.
  virtual std::vector<std::string> argv_for(std::string_view verb, std::vector<std::string> instances) const = 0;
  Status act(StepContext& context, const std::vector<std::string>& argv) {
    ASSIGN_OR_RETURN(const ProgramResult result, run_program(context, files_, random_, argv));
    if (result.exit_code != 0)
      context.note(
          fmt::format("{} ended with {}: {}", fmt::join(argv, " "), result.exit_code, first_line(result.output)));
    return {};
  }
  Result<ProgramResult> run(StepContext& context, std::string_view verb) {
    return run_program(context, files_, random_, argv(verb));
  }

 private:
  // Its exit code is not believed either way: whether the service runs is looked at.
  Status act(StepContext& context, std::string_view verb) { return act(context, argv(verb)); }

  FileSystem& files_;
  Random& random_;
};

class Supervisor final : public CommandControl {
 public:
  Supervisor(FileSystem& files, Random& random, std::vector<std::string> place, std::vector<std::string> programs)
      : CommandControl(files, random), place_(std::move(place)), programs_(std::move(programs)) {}
  Result<ServiceState> look(StepContext& context) override {
    ASSIGN_OR_RETURN(const ProgramResult result, run(context, "status"));
    return read_supervisor_status(result);
  }

 private:
  std::vector<std::string> argv(std::string_view verb) const override {
    std::vector<std::string> argv = {"supervisorctl"};
    argv.insert(argv.end(), place_.begin(), place_.end());
    argv.emplace_back(verb);
    argv.insert(argv.end(), programs_.begin(), programs_.end());
    return argv;
  }
  std::vector<std::string> argv_for(std::string_view verb, std::vector<std::string> instances) const override {
    std::vector<std::string> argv = {"supervisorctl"};
    argv.insert(argv.end(), place_.begin(), place_.end());
    argv.emplace_back(verb);
    argv.insert(argv.end(), instances.begin(), instances.end());
    return argv;
  }
  std::vector<std::string> place_, programs_;
};

class Systemd final : public CommandControl {
 public:
  Systemd(FileSystem& files, Random& random, std::vector<std::string> units)
      : CommandControl(files, random), units_(std::move(units)) {}
  Result<ServiceState> look(StepContext& context) override {
    ASSIGN_OR_RETURN(const ProgramResult result, run(context, "is-active"));
    ServiceState state;
    std::istringstream lines(result.output);
    std::size_t answers = 0;
    for (std::string line; std::getline(lines, line); ++answers) {
      state.running += line == "active" ? 1 : 0;
      state.between += line == "activating" || line == "deactivating" || line == "reloading" ? 1 : 0;
    }
    if (answers != units_.size())
      return Error(ErrorKind::kFailedPrecondition, "systemctl answers: " + first_line(result.output));
    state.said = fmt::format("{} of {} units active", state.running, units_.size());
    state.instances = units_;
    return state;
  }

 private:
  std::vector<std::string> argv(std::string_view verb) const override {
    std::vector<std::string> argv = {"systemctl", std::string(verb)};
    argv.insert(argv.end(), units_.begin(), units_.end());
    return argv;
  }
  std::vector<std::string> argv_for(std::string_view verb, std::vector<std::string> instances) const override {
    std::vector<std::string> argv = {"systemctl", std::string(verb)};
    argv.insert(argv.end(), instances.begin(), instances.end());
    return argv;
  }
  std::vector<std::string> units_;
};

class Compose final : public CommandControl {
 public:
  Compose(FileSystem& files, Random& random, std::string project, std::vector<std::string> services)
      : CommandControl(files, random), project_(std::move(project)), services_(std::move(services)) {}
  Result<ServiceState> look(StepContext& context) override {
    ASSIGN_OR_RETURN(const ProgramResult result, run(context, "ps"));
    if (result.exit_code != 0)
      return Error(ErrorKind::kUnavailable, "docker compose answers: " + first_line(result.output));
    ServiceState state;
    std::istringstream lines(result.output);
    for (std::string line; std::getline(lines, line);) state.running += line.empty() ? 0 : 1;
    state.said = fmt::format("{} containers running", state.running);
    return state;
  }
  Status scale(StepContext& context, std::uint32_t count) override {
    if (services_.size() != 1)
      return Error(ErrorKind::kUnsupported, "docker compose scales one service at a time",
                   "give each service a target of its own");
    return act(context, {"docker", "compose", "--file", project_, "up", "--detach", "--no-recreate", "--scale",
                         fmt::format("{}={}", services_.front(), count), services_.front()});
  }

 private:
  std::vector<std::string> argv(std::string_view verb) const override {
    std::vector<std::string> argv = {"docker", "compose", "--file", project_, std::string(verb)};
    if (verb == "ps") argv.insert(argv.end(), {"--quiet", "--status", "running"});
    argv.insert(argv.end(), services_.begin(), services_.end());
    return argv;
  }
  std::vector<std::string> argv_for(std::string_view, std::vector<std::string>) const override { return {}; }
  std::string project_;
  std::vector<std::string> services_;
};

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
    if (plan::text_of(context.step().with, "mode") == "rolling")
      return Error(ErrorKind::kUnsupported,
                   "this version restarts by stop-start only: a rolling restart leaves two "
                   "generations on two servers",
                   "use mode: stop-start");
    ASSIGN_OR_RETURN(const auto control, control_for(context));
    if (context.step().with.find("grace") != nullptr)
      context.note("the time before an instance is killed is its supervisor's own setting, not the plan's grace");
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
    RETURN_IF_ERROR(control.stop(context));
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

Result<ProgramResult> run_program(StepContext& context, FileSystem& files, Random& random,
                                  const std::vector<std::string>& argv) {
  const char* folder = std::getenv("TMPDIR");
  const std::string path =
      fmt::format("{}/anclora-program-{}", folder != nullptr ? folder : "/tmp", to_hex(random.bytes(8)));
  ASSIGN_OR_RETURN(const auto process, Subprocess::start({.argv = argv, .working_directory = {}, .output_file = path}));
  std::optional<int> code;
  while (!(code = process->wait(kPoll)))
    if (context.cancelled() || context.clock().mono_now() >= context.deadline()) break;
  if (!code) {
    process->signal(SIGKILL);
    process->wait(std::chrono::seconds(5));
  }
  auto output = files.read_all(path, kMiB);
  ignore_result(files.remove(path));  // a small file in the temporary folder, at worst
  if (!code) return Error(ErrorKind::kDeadlineExceeded, fmt::format("{} did not end in time", fmt::join(argv, " ")));
  if (!output.has_value()) return output.error();
  return ProgramResult{*code, std::move(*output)};
}

Result<ServiceState> read_supervisor_status(const ProgramResult& result) {
  constexpr int kSomeDoNotRun = 3;
  ServiceState state;
  std::vector<std::string> running, others;
  std::istringstream lines(result.output);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string program, status;
    words >> program >> status;
    if (program.empty()) continue;
    state.instances.push_back(program);
    if (status == "RUNNING")
      running.push_back(program);
    else if (status == "STARTING" || status == "STOPPING" || status == "BACKOFF")
      ++state.between, others.push_back(program + " " + status);
    else if (status == "STOPPED" || status == "EXITED" || status == "FATAL")
      others.push_back(program + " " + status);
    else
      return Error(ErrorKind::kFailedPrecondition, "supervisorctl answers: " + line.substr(0, kShown),
                   "try by hand: supervisorctl -c FILE status PROGRAM");
  }
  if (result.exit_code != 0 && result.exit_code != kSomeDoNotRun)
    return Error(ErrorKind::kUnavailable,
                 fmt::format("supervisorctl ended with {}: {}", result.exit_code, first_line(result.output)));
  state.running = static_cast<std::uint32_t>(running.size());
  state.said =
      fmt::format("{} running{}", running.size(), others.empty() ? "" : fmt::format("; {}", fmt::join(others, ", ")));
  return state;
}

Result<std::unique_ptr<ServiceControl>> service_control(StepContext& context, const plan::Target& target,
                                                        FileSystem& files, Random& random) {
  const std::string driver = plan::text_of(target.settings, "driver");
  if (driver == "supervisor") {
    std::vector<std::string> place;
    for (const auto& [key, option] : {std::pair("config", "-c"), std::pair("url", "-s")}) {
      const std::string reference = plan::text_of(target.settings, key);
      if (reference.empty()) continue;
      ASSIGN_OR_RETURN(const Secret value, context.resolve(reference));
      place.insert(place.end(), {option, value.reveal()});
    }
    return std::make_unique<Supervisor>(files, random, place, plan::texts_of(target.settings, "programs"));
  }
  if (driver == "systemd") return std::make_unique<Systemd>(files, random, plan::texts_of(target.settings, "units"));
  if (driver == "compose") {
    ASSIGN_OR_RETURN(const Secret project, context.resolve(plan::text_of(target.settings, "project")));
    return std::make_unique<Compose>(files, random, project.reveal(), plan::texts_of(target.settings, "services"));
  }
  return Error(ErrorKind::kUnsupported, fmt::format("this version has no driver \"{}\" for {}", driver, target.id),
               "supervisor, systemd or compose");
}

std::unique_ptr<Action> make_service_action(std::string_view name, FileSystem& files, Random& random) {
  return std::make_unique<ServiceAction>(std::string(name), files, random);
}

}  // namespace anclora::respond
