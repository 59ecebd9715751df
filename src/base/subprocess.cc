#include "base/subprocess.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "base/os_error.h"
#include "base/unique_fd.h"

namespace anclora {
namespace {

// Everything that the child needs between fork and exec, where it may neither allocate nor lock.
struct Launch {
  std::string program;
  std::vector<std::string> argv;
  std::vector<char*> argv_pointers;
  std::vector<std::string> environment;
  std::vector<char*> environment_pointers;
  std::string working_directory;
  UniqueFd input;
  UniqueFd output;
  UniqueFd failure_read;   // the child writes errno here when it cannot exec;
  UniqueFd failure_write;  // exec itself closes it
};

Result<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* variable = std::getenv("PATH");
  std::string_view rest = variable != nullptr ? variable : "/usr/local/bin:/usr/bin:/bin";
  while (!rest.empty()) {
    const std::size_t colon = rest.find(':');
    std::string candidate = std::string(rest.substr(0, colon)) + "/" + name;
    if (candidate.front() == '/' && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest = colon == std::string_view::npos ? std::string_view() : rest.substr(colon + 1);
  }
  return Error(ErrorKind::kNotFound, "there is no program " + name + " in PATH",
               "install it, or give the path of the program");
}

// A file in memory that holds `text`, to be read from its beginning: a child that reads none of it blocks nobody.
Result<UniqueFd> readable_memory(const std::string& text) {
  UniqueFd memory(::memfd_create("anclora-input", MFD_CLOEXEC));
  if (!memory.is_open()) return os_error(errno, "cannot make a file in memory");
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t wrote = ::write(memory.get(), text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return os_error(errno, "cannot write a file in memory");
    done += static_cast<std::size_t>(wrote);
  }
  if (::lseek(memory.get(), 0, SEEK_SET) < 0) return os_error(errno, "cannot rewind a file in memory");
  return memory;
}

// Our own environment with `changes` in it.
std::vector<std::string> environment_with(const std::vector<std::string>& changes) {
  std::vector<std::string> environment = changes;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    const std::string_view name = text.substr(0, text.find('=') + 1);
    const bool changed = std::any_of(changes.begin(), changes.end(), [&](const std::string& change) {
      return std::string_view(change).starts_with(name);
    });
    if (!changed) environment.emplace_back(text);
  }
  return environment;
}

Result<Launch> prepare(const SubprocessOptions& options) {
  if (options.argv.empty()) return Error(ErrorKind::kInvalidArgument, "cannot start a program without a name");
  Launch launch;
  ASSIGN_OR_RETURN(launch.program, find_program(options.argv.front()));
  launch.argv = options.argv;
  for (std::string& argument : launch.argv) launch.argv_pointers.push_back(argument.data());
  launch.argv_pointers.push_back(nullptr);
  launch.environment = options.only_this_environment ? options.environment : environment_with(options.environment);
  for (std::string& variable : launch.environment) launch.environment_pointers.push_back(variable.data());
  launch.environment_pointers.push_back(nullptr);
  launch.working_directory = options.working_directory;
  if (options.input.empty()) {
    launch.input = UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  } else {
    ASSIGN_OR_RETURN(launch.input, readable_memory(options.input));
  }
  const std::string output = options.output_file.empty() ? "/dev/null" : options.output_file;
  launch.output = UniqueFd(::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!launch.output.is_open()) return os_error(errno, "cannot open " + output);
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return os_error(errno, "cannot make a pipe");
  launch.failure_read = UniqueFd(ends[0]);
  launch.failure_write = UniqueFd(ends[1]);
  return launch;
}

[[noreturn]] void become_the_program(const Launch& launch, pid_t parent) {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // the parent died before the line above took effect
  const bool ready = ::dup2(launch.input.get(), 0) >= 0 && ::dup2(launch.output.get(), 1) >= 0 &&
                     ::dup2(launch.output.get(), 2) >= 0 && ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0 &&
                     (launch.working_directory.empty() || ::chdir(launch.working_directory.c_str()) == 0);
  if (ready) ::execve(launch.program.c_str(), launch.argv_pointers.data(), launch.environment_pointers.data());
  const int error_number = errno;
  if (::write(launch.failure_write.get(), &error_number, sizeof(error_number)) < 0) ::_exit(126);
  ::_exit(127);
}

// PR_SET_PDEATHSIG is tied to the thread that forked, not to the process: so each child has a thread of ours that forks
// it, waits for it, and ends after it.
class PosixSubprocess final : public Subprocess {
 public:
  ~PosixSubprocess() override {
    signal(SIGKILL);
    if (keeper_.joinable()) keeper_.join();
  }

  Status run(Launch launch) {
    keeper_ = std::thread([this, owned = std::move(launch)]() mutable { keep(std::move(owned)); });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return started_.has_value(); });
    return *started_;
  }

  pid_t pid() const override { return pid_; }

  void signal(int number) override {
    const std::lock_guard lock(mutex_);
    // Until it is reaped its id cannot belong to anybody else.
    if (pid_ > 0 && !exit_status_) ::kill(-pid_, number);
  }

  std::optional<int> wait(Duration timeout) override {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, timeout, [this] { return exit_status_.has_value(); });
    return exit_status_;
  }

 private:
  void keep(Launch launch) {
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) become_the_program(launch, parent);
    if (child < 0) return report(os_error(errno, "cannot start " + launch.program), -1);
    ::setpgid(child, child);  // in both processes, so that signal() finds the group at once
    launch.failure_write.reset();
    int error_number = 0;
    ssize_t got = 0;
    do {
      got = ::read(launch.failure_read.get(), &error_number, sizeof(error_number));
    } while (got < 0 && errno == EINTR);
    if (got != 0) {
      while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
      }
      return report(os_error(error_number, "cannot start " + launch.program), -1);
    }
    report(Status(), child);
    reap(child);
  }

  void report(Status status, pid_t child) {
    const std::lock_guard lock(mutex_);
    pid_ = child;
    started_ = std::move(status);
    changed_.notify_all();
  }

  void reap(pid_t child) {
    siginfo_t facts = {};
    while (::waitid(P_PID, static_cast<id_t>(child), &facts, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
    }
    const std::lock_guard lock(mutex_);
    ::kill(-child, SIGKILL);  // what it left behind in its group
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    exit_status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Status> started_;
  std::optional<int> exit_status_;
  pid_t pid_ = -1;
  std::thread keeper_;
};

}  // namespace

Result<std::unique_ptr<Subprocess>> Subprocess::start(const SubprocessOptions& options) {
  ASSIGN_OR_RETURN(Launch launch, prepare(options));
  auto process = std::make_unique<PosixSubprocess>();
  RETURN_IF_ERROR(process->run(std::move(launch)));
  return process;
}

}  // namespace anclora
