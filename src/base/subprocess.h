// A child process from an argv, without a shell.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace anclora {

struct SubprocessOptions {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH when it has no slash
  std::string working_directory;
  std::string output_file;                    // stdout and stderr, appended to; empty: /dev/null
  std::vector<std::string> environment = {};  // "NAME=value", added to ours or in place of what we have of that name
  bool only_this_environment = false;         // nothing of ours: `environment` is all that it gets
  std::string input = {};                     // its stdin, whole; empty: /dev/null
};

// The child leads a process group of its own, with stdin from memory or /dev/null and no descriptor of ours. It is
// killed (SIGKILL) and reaped when this is destroyed, and by the kernel when our process dies; what it leaves behind in
// its group is killed when it ends. Thread rule: signal() and wait() from any thread.
class Subprocess {
 public:
  virtual ~Subprocess() = default;
  // kNotFound when there is no such program; else as os_error() (EACCES, a missing working directory, ...).
  static Result<std::unique_ptr<Subprocess>> start(const SubprocessOptions& options);
  virtual pid_t pid() const = 0;
  virtual void signal(int number) = 0;  // to the whole group; no effect after its end
  // The exit status (128 + signal when killed), or nothing when it still runs after `timeout`.
  virtual std::optional<int> wait(Duration timeout) = 0;
};

}  // namespace anclora
