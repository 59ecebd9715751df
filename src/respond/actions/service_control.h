// Starting, stopping and counting a service's instances, by whatever supervises them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/random.h"
#include "respond/runbook/action.h"

namespace anclora::respond {

// A program run to its end, its output kept. kDeadlineExceeded when it did not end before the step
// did: it is killed. `meanwhile` is called again and again until it ends; its error ends the program too.
struct ProgramResult {
  int exit_code = 0;
  std::string output;  // both streams, at most 1 MiB
};
Result<ProgramResult> run_program(StepContext& context, FileSystem& files, Random& random,
                                  const std::vector<std::string>& argv, const std::function<Status()>& meanwhile = {});

struct ServiceState {
  std::uint32_t running = 0;
  std::uint32_t between = 0;           // starting or stopping
  std::string said;                    // "2 running: web:0, web:1"
  std::vector<std::string> instances;  // running or not, in the driver's order; empty where it does not name them
};

// Thread rule: one step at a time.
class ServiceControl {
 public:
  virtual ~ServiceControl() = default;
  virtual Result<ServiceState> look(StepContext& context) = 0;
  // With `grace` what has not stopped after it is killed; sooner, where the supervisor's own time is shorter. Without
  // it only that counts.
  virtual Status stop(StepContext& context, std::optional<Duration> grace) = 0;
  virtual Status start(StepContext& context) = 0;
  // Exactly so many: more are started, those beyond are stopped. kUnsupported where the driver cannot, naming its
  // limit.
  virtual Status scale(StepContext& context, std::uint32_t count) = 0;
  virtual std::string call(std::string_view verb) const = 0;  // for --dry-run
};

// For a target of kind service with driver supervisor, systemd or compose; kUnsupported for the others.
Result<std::unique_ptr<ServiceControl>> service_control(StepContext& context, const plan::Target& target,
                                                        FileSystem& files, Random& random);

}  // namespace anclora::respond
