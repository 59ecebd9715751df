#include "respond/actions/service_control.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <csignal>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "base/subprocess.h"
#include "plan/model/value_access.h"
#include "respond/actions/supervisor_control.h"

namespace anclora::respond {
namespace {

constexpr Duration kPoll = std::chrono::milliseconds(50);
constexpr std::size_t kShown = 300;

std::string first_line(const std::string& output) { return output.substr(0, std::min(output.find('\n'), kShown)); }

// What all drivers share: one program with a verb, whose output says what runs.
class CommandControl : public ServiceControl {
 public:
  CommandControl(FileSystem& files, Random& random) : files_(files), random_(random) {}

  // systemd waits in `stop` until all are stopped, and kills after a time of its own. Ours is counted from
  // when none runs as before any more: only then has each been asked to stop.
  Status stop(StepContext& context, std::optional<Duration> grace) override {
    if (!grace) return act(context, "stop");
    std::optional<MonoTime> asked;
    const auto kill_in_time = [&]() -> Status {
      ASSIGN_OR_RETURN(const ServiceState state, look(context));
      if (state.running > 0 || state.between == 0) return {};
      if (!asked) asked = context.clock().mono_now();
      if (context.clock().mono_now() < *asked + *grace) return {};
      asked.reset();
      context.note(fmt::format("not stopped within {}: killed", format_duration(*grace)));
      RETURN_IF_ERROR(context.before_change(fmt::format("{}", fmt::join(kill_argv(), " "))));
      return act(context, kill_argv());
    };
    const auto stopped = run_program(context, files_, random_, argv("stop"), kill_in_time);
    return stopped.has_value() ? Status() : Status(stopped.error());
  }
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
  virtual std::vector<std::string> kill_argv() const = 0;
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
  std::vector<std::string> kill_argv() const override {
    std::vector<std::string> argv = {"systemctl", "kill", "--signal=SIGKILL"};
    argv.insert(argv.end(), units_.begin(), units_.end());
    return argv;
  }
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
  // Docker kills by itself when the time is over; its own default is 10 s.
  Status stop(StepContext& context, std::optional<Duration> grace) override {
    std::vector<std::string> stop = argv("stop");
    if (grace) {
      const auto seconds = std::chrono::ceil<std::chrono::seconds>(*grace).count();
      stop.insert(stop.begin() + kVerbEnd, {"--timeout", std::to_string(seconds)});
    }
    return act(context, stop);
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
  std::vector<std::string> kill_argv() const override { return {}; }
  static constexpr std::ptrdiff_t kVerbEnd = 5;  // docker compose --file PROJECT stop
  std::string project_;
  std::vector<std::string> services_;
};

}  // namespace

Result<ProgramResult> run_program(StepContext& context, FileSystem& files, Random& random,
                                  const std::vector<std::string>& argv, const std::function<Status()>& meanwhile) {
  const char* folder = std::getenv("TMPDIR");
  const std::string path =
      fmt::format("{}/anclora-program-{}", folder != nullptr ? folder : "/tmp", to_hex(random.bytes(8)));
  ASSIGN_OR_RETURN(const auto process, Subprocess::start({.argv = argv, .working_directory = {}, .output_file = path}));
  std::optional<int> code;
  Status watched;
  while (!(code = process->wait(kPoll))) {
    if (context.cancelled() || context.clock().mono_now() >= context.deadline()) break;
    if (meanwhile) watched = meanwhile();
    if (!watched) break;
  }
  if (!code) {
    process->signal(SIGKILL);
    process->wait(std::chrono::seconds(5));
  }
  auto output = files.read_all(path, kMiB);
  ignore_result(files.remove(path));  // a small file in the temporary folder, at worst
  RETURN_IF_ERROR(watched);
  if (!code) return Error(ErrorKind::kDeadlineExceeded, fmt::format("{} did not end in time", fmt::join(argv, " ")));
  if (!output.has_value()) return output.error();
  return ProgramResult{*code, std::move(*output)};
}

Result<std::unique_ptr<ServiceControl>> service_control(StepContext& context, const plan::Target& target,
                                                        FileSystem& files, Random& random) {
  const std::string driver = plan::text_of(target.settings, "driver");
  if (driver == "supervisor") return supervisor_control(context, target, files);
  if (driver == "systemd") return std::make_unique<Systemd>(files, random, plan::texts_of(target.settings, "units"));
  if (driver == "compose") {
    ASSIGN_OR_RETURN(const Secret project, context.resolve(plan::text_of(target.settings, "project")));
    return std::make_unique<Compose>(files, random, project.reveal(), plan::texts_of(target.settings, "services"));
  }
  return Error(ErrorKind::kUnsupported, fmt::format("this version has no driver \"{}\" for {}", driver, target.id),
               "supervisor, systemd or compose");
}

}  // namespace anclora::respond
