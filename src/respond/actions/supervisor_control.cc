#include "respond/actions/supervisor_control.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include "plan/model/value_access.h"

namespace anclora::respond {
namespace {

constexpr Duration kLongestCall = std::chrono::seconds(5);
constexpr Duration kPoll = std::chrono::milliseconds(50);
constexpr int kAlreadyStarted = 60;
constexpr int kNotRunning = 70;
constexpr std::string_view kDebianConfiguration = "/etc/supervisor/supervisord.conf";
constexpr std::string_view kConfiguration = "/etc/supervisord.conf";  // supervisor's own

struct Order {
  std::string_view verb;
  Result<std::optional<SupervisorFault>> (SupervisorRpc::*call)(std::string_view);
};
constexpr Order kStop{"stop", &SupervisorRpc::stop};
constexpr Order kStart{"start", &SupervisorRpc::start};
constexpr Order kKill{"kill", &SupervisorRpc::kill};

bool is_named(const SupervisedProcess& process, const std::string& program) {
  if (program == "all" || program == process.name) return true;
  return program.ends_with(":*") && program.substr(0, program.size() - 2) == process.group;
}

class SupervisorControl final : public ServiceControl {
 public:
  SupervisorControl(SupervisorAddress address, std::vector<std::string> programs)
      : address_(std::move(address)), programs_(std::move(programs)) {}

  Result<ServiceState> look(StepContext& context) override {
    ASSIGN_OR_RETURN(const auto processes, selected(context));
    return service_state(processes);
  }
  Status stop(StepContext& context, std::optional<Duration> grace) override {
    ASSIGN_OR_RETURN(const auto processes, selected(context));
    RETURN_IF_ERROR(ask(context, kStop, processes));
    return grace ? kill_after(context, *grace) : Status();
  }
  Status start(StepContext& context) override {
    ASSIGN_OR_RETURN(const auto processes, settled(context));
    return ask(context, kStart, processes);
  }
  // Instances are named and fixed: the first so many run, the others do not.
  Status scale(StepContext& context, std::uint32_t count) override {
    ASSIGN_OR_RETURN(const auto processes, settled(context));
    if (count > processes.size())
      return Error(ErrorKind::kUnsupported,
                   fmt::format("{} instances are asked for, {} are configured", count, processes.size()),
                   "add them to the supervisor's own configuration first");
    const auto middle = processes.begin() + count;
    RETURN_IF_ERROR(ask(context, kStart, {processes.begin(), middle}));
    return ask(context, kStop, {middle, processes.end()});
  }
  std::string call(std::string_view verb) const override {
    return fmt::format("{} {} at {}", verb, fmt::join(programs_, " "), address_.server);
  }

 private:
  SupervisorRpc rpc(StepContext& context) const {
    const Duration left = context.deadline() - context.clock().mono_now();
    return {address_, std::clamp<Duration>(left, std::chrono::milliseconds(1), kLongestCall)};
  }
  static bool is_over(StepContext& context) {
    return context.cancelled() || context.clock().mono_now() >= context.deadline();
  }
  // A question that is answered late, on a machine in trouble, is asked again: none does more for being asked twice.
  template <class Question>
  auto answer(StepContext& context, const Question& question) {
    auto result = question();
    while (!result && result.error().kind() == ErrorKind::kDeadlineExceeded && !is_over(context)) result = question();
    return result;
  }
  Result<std::vector<SupervisedProcess>> selected(StepContext& context) {
    ASSIGN_OR_RETURN(const auto all, answer(context, [&] { return rpc(context).processes(); }));
    return select_processes(all, programs_);
  }
  // The same, once none of them is stopping, as long as the step has time: supervisord takes a start of such a process,
  // and does nothing.
  Result<std::vector<SupervisedProcess>> settled(StepContext& context) {
    while (true) {
      ASSIGN_OR_RETURN(auto processes, selected(context));
      const auto stopping = [](const SupervisedProcess& process) { return process.state == "STOPPING"; };
      if (std::ranges::none_of(processes, stopping) || is_over(context)) return processes;
      context.clock().sleep_for(kPoll);
    }
  }
  // What is refused is told, not believed: whether they run is looked at.
  Status ask(StepContext& context, const Order& order, const std::vector<SupervisedProcess>& processes) {
    for (const SupervisedProcess& process : processes) {
      if (context.cancelled()) return {};
      const auto fault = answer(context, [&] {
        SupervisorRpc supervisor = rpc(context);
        return (supervisor.*order.call)(process.name);
      });
      if (!fault) return fault.error();
      if (*fault && (*fault)->code != kAlreadyStarted && (*fault)->code != kNotRunning)
        context.note(fmt::format("{} {}: {}", order.verb, process.name, (*fault)->text));
    }
    return {};
  }
  Status kill_after(StepContext& context, Duration grace) {
    const MonoTime until = context.clock().mono_now() + grace;
    while (true) {
      ASSIGN_OR_RETURN(const auto processes, selected(context));
      const ServiceState state = service_state(processes);
      if (state.running + state.between == 0 || context.cancelled()) return {};
      if (context.clock().mono_now() >= until) break;
      context.clock().sleep_for(kPoll);
    }
    context.note(fmt::format("not stopped within {}: killed", format_duration(grace)));
    RETURN_IF_ERROR(context.before_change(call(kKill.verb)));
    ASSIGN_OR_RETURN(auto processes, selected(context));
    std::erase_if(processes, [](const SupervisedProcess& each) { return each.state != "STOPPING"; });
    return ask(context, kKill, processes);
  }

  SupervisorAddress address_;
  std::vector<std::string> programs_;
};

Result<SupervisorAddress> address_in(StepContext& context, FileSystem& files, const std::string& path) {
  const auto file = files.resolve(path);  // a link is followed, as supervisord follows it
  if (!file) return file.error().with_context("supervisord's configuration file");
  const auto text = files.read_all(*file, kMiB);
  if (!text) return text.error().with_context("supervisord's configuration file");
  const auto environment = [&](std::string_view name) -> std::optional<std::string> {
    const auto value = context.resolve("env:" + std::string(name));
    return value ? std::optional(value->reveal()) : std::nullopt;
  };
  const std::filesystem::path here = std::filesystem::absolute(path).parent_path();
  auto address = read_supervisor_address(*text, here.string(), environment);
  if (!address) return address.error().with_context(path);
  return address;
}

}  // namespace

Result<std::vector<SupervisedProcess>> select_processes(const std::vector<SupervisedProcess>& all,
                                                        const std::vector<std::string>& programs) {
  std::vector<SupervisedProcess> selected;
  for (const std::string& program : programs) {
    const auto named = [&](const SupervisedProcess& process) { return is_named(process, program); };
    if (std::ranges::none_of(all, named)) {
      std::vector<std::string> names;
      for (const SupervisedProcess& process : all) names.push_back(process.name);
      return Error(ErrorKind::kFailedPrecondition, fmt::format("supervisord has no program {}", program),
                   fmt::format("it has: {}", fmt::join(names, ", ")));
    }
    for (const SupervisedProcess& process : all) {
      const bool there = std::ranges::any_of(selected, [&](const auto& each) { return each.name == process.name; });
      if (named(process) && !there) selected.push_back(process);
    }
  }
  return selected;
}

ServiceState service_state(const std::vector<SupervisedProcess>& processes) {
  ServiceState state;
  std::vector<std::string> others;
  for (const SupervisedProcess& process : processes) {
    state.instances.push_back(process.name);
    if (process.state == "RUNNING") {
      ++state.running;
      continue;
    }
    state.between += process.state == "STARTING" || process.state == "STOPPING" || process.state == "BACKOFF" ? 1 : 0;
    others.push_back(process.name + " " + process.state);
  }
  state.said =
      fmt::format("{} running{}", state.running, others.empty() ? "" : fmt::format("; {}", fmt::join(others, ", ")));
  return state;
}

Result<std::unique_ptr<ServiceControl>> supervisor_control(StepContext& context, const plan::Target& target,
                                                           FileSystem& files) {
  std::vector<std::string> programs = plan::texts_of(target.settings, "programs");
  const std::string url = plan::text_of(target.settings, "url");
  std::string config;
  if (const std::string reference = plan::text_of(target.settings, "config"); !reference.empty()) {
    ASSIGN_OR_RETURN(const Secret path, context.resolve(reference));
    config = path.reveal();
  } else if (url.empty()) {
    config = kDebianConfiguration;
    const auto there = files.resolve(config);
    if (!there && there.error().kind() == ErrorKind::kNotFound) config = kConfiguration;
  }
  SupervisorAddress address;
  if (!config.empty()) {
    ASSIGN_OR_RETURN(address, address_in(context, files, config));
  }
  if (!url.empty()) {
    ASSIGN_OR_RETURN(const Secret server, context.resolve(url));
    ASSIGN_OR_RETURN(SupervisorAddress named, parse_supervisor_server(server.reveal()));
    address.server = named.server;
    if (!named.user.empty()) address = std::move(named);
  }
  return std::make_unique<SupervisorControl>(std::move(address), std::move(programs));
}

}  // namespace anclora::respond
