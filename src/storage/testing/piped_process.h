// A child process that a test talks to by lines on its stdin and stdout, and that dies with it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace anclora::storage {

// One thread. Destroying it closes the child's stdin, waits up to ten seconds for it to clean up and exit, then kills
// it. stderr goes to ours.
class PipedProcess {
 public:
  explicit PipedProcess(const std::vector<std::string>& argv);  // argv[0] is looked up in PATH
  PipedProcess(const PipedProcess&) = delete;
  PipedProcess& operator=(const PipedProcess&) = delete;
  ~PipedProcess();

  pid_t pid() const { return pid_; }
  void write_line(const std::string& line);
  void close_input();
  // The next line without its end, or nothing at end of output or after `timeout`.
  std::optional<std::string> read_line(Duration timeout);
  // All output until the child closes it.
  std::string read_all(Duration timeout);

 private:
  bool fill(MonoTime deadline);

  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  std::string buffered_;
};

}  // namespace anclora::storage
