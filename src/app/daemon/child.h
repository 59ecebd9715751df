// A child process of this same program under supervision: started again with growing pauses, ended by asking first.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/subprocess.h"

namespace anclora::app {

struct ChildSpec {
  std::string name;                      // "capture main", "run redis-lost-2026...": for status and metrics
  std::vector<std::string> words;        // of the command line, without the program; never a secret
  std::vector<std::string> environment;  // "NAME=value": secrets go this way
  std::string output_file;               // appended to
  bool keep = false;                     // started again whenever it ends
};

using StartChild = std::function<Result<std::unique_ptr<Subprocess>>(const ChildSpec&)>;

// Exit codes after which it is not started again: a wrong command line, a format of a newer version.
bool ends_for_good(int exit_status);

// Thread rule: one thread.
class Child {
 public:
  Child(ChildSpec spec, StartChild start, Clock& clock)
      : spec_(std::move(spec)), start_(std::move(start)), clock_(clock) {}

  // Starts it when that is due, notices its end. The exit status when it ended since the last call; a start that failed
  // counts as an end with 127.
  std::optional<int> tick();
  // SIGTERM; it is not started again.
  void ask_to_end();
  // Waits for the end, at most `timeout`, then kills it.
  void wait_or_kill(Duration timeout);

  const ChildSpec& spec() const { return spec_; }
  bool running() const { return process_ != nullptr; }
  bool over() const { return process_ == nullptr && !next_start_; }  // and will not be started again
  pid_t pid() const { return process_ ? process_->pid() : 0; }
  std::uint64_t restarts() const { return restarts_; }
  std::optional<int> last_exit() const { return last_exit_; }
  const std::string& problem() const { return problem_; }  // why the last start failed
  std::optional<WallTime> started() const { return started_; }

 private:
  std::optional<int> ended(int status);

  const ChildSpec spec_;
  const StartChild start_;
  Clock& clock_;
  std::unique_ptr<Subprocess> process_;
  std::optional<MonoTime> next_start_ = MonoTime{};  // nothing: never again
  MonoTime began_{};
  Duration pause_{};
  std::uint64_t restarts_ = 0;
  std::optional<int> last_exit_;
  std::optional<WallTime> started_;
  std::string problem_;
  bool asked_to_end_ = false;
};

}  // namespace anclora::app
