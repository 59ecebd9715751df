// Watches what a plan's probes watch, as `serve` does, and prints one JSON line whenever a rule's state changes, and
// one when its first probe is up. Ends when its standard input does. For the benchmark of detection.
//   anclora_detect_watch PLAN
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>

#include "base/posix_file_system.h"
#include "plan/lint/plan_lookup.h"
#include "plan/read_plan.h"
#include "respond/detect/probe_maker.h"
#include "respond/detect/watcher.h"
#include "respond/runbook/step_context.h"

namespace anclora {
namespace {

void say(const std::string& what) {
  fmt::print("{{\"at\": \"{}\", \"state\": \"{}\"}}\n", format_rfc3339(system_clock().wall_now()), what);
  std::fflush(stdout);
}

int watch(const std::string& file) {
  const auto bytes = posix_file_system().read_all(file, 16 * kMiB);
  const auto read = bytes ? plan::read_plan(file, *bytes) : Result<plan::Plan>(bytes.error());
  if (!read) {
    fmt::print(stderr, "{}\n", read.error().to_string());
    return 1;
  }
  const plan::Plan& plan = *read;
  const respond::PlanLookup lookup{
      [&](std::string_view id) -> const plan::Target& { return *plan::find_target(plan, id); },
      [](std::string_view reference) {
        const auto environment = [](const std::string& name) {
          const char* value = std::getenv(name.c_str());
          return value == nullptr ? std::nullopt : std::optional<std::string>(value);
        };
        return respond::resolve_reference(posix_file_system(), environment, reference);
      }};
  respond::Watcher watcher(plan, "",
                           {system_clock(),
                            [&](const plan::Probe& probe) {
                              return respond::make_probe(probe.uses, probe.with, lookup, system_dialer(),
                                                         system_clock());
                            },
                            [](const auto& verdict) { say(std::string(to_string(verdict.state))); }});
  watcher.start();
  bool was_up = false;
  for (pollfd input{0, POLLIN, 0}; ::poll(&input, 1, 10) == 0;) {
    const bool up = watcher.probes().front().state == respond::ProbeState::kUp;
    if (up && !was_up) say("up");
    was_up = up;
  }
  watcher.stop();
  return 0;
}

}  // namespace
}  // namespace anclora

int main(int count, char** words) { return count == 2 ? anclora::watch(words[1]) : 2; }
