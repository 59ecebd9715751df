#include "storage/testing/piped_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <thread>

namespace anclora::storage {
namespace {

constexpr Duration kExitGrace = std::chrono::seconds(10);

}  // namespace

PipedProcess::PipedProcess(const std::vector<std::string>& argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a child that died must fail the test, not end it
  int to_child[2];
  int from_child[2];
  if (::pipe2(to_child, O_CLOEXEC) != 0 || ::pipe2(from_child, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to_child[0], 0);
  posix_spawn_file_actions_adddup2(&actions, from_child[1], 1);
  std::vector<char*> arguments;
  for (const auto& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const int failed = ::posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(to_child[0]);
  ::close(from_child[1]);
  input_ = to_child[1];
  output_ = from_child[0];
  if (failed != 0) throw std::runtime_error("cannot start " + argv[0]);
}

PipedProcess::~PipedProcess() {
  close_input();
  if (pid_ > 0) {
    const MonoTime deadline = system_clock().mono_now() + kExitGrace;
    while (::waitpid(pid_, nullptr, WNOHANG) == 0) {
      if (system_clock().mono_now() > deadline) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  if (output_ >= 0) ::close(output_);
}

void PipedProcess::close_input() {
  if (input_ >= 0) ::close(input_);
  input_ = -1;
}

void PipedProcess::write_line(const std::string& line) {
  const std::string bytes = line + "\n";
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t written = ::write(input_, bytes.data() + done, bytes.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw std::runtime_error("the child process does not read any more");
    done += static_cast<std::size_t>(written);
  }
}

bool PipedProcess::fill(MonoTime deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - system_clock().mono_now());
  struct ::pollfd ready = {output_, POLLIN, 0};
  if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) return false;
  char chunk[65536];
  const ssize_t got = ::read(output_, chunk, sizeof chunk);
  if (got <= 0) return false;
  buffered_.append(chunk, static_cast<std::size_t>(got));
  return true;
}

std::optional<std::string> PipedProcess::read_line(Duration timeout) {
  const MonoTime deadline = system_clock().mono_now() + timeout;
  std::size_t end = buffered_.find('\n');
  while (end == std::string::npos) {
    if (!fill(deadline)) return std::nullopt;
    end = buffered_.find('\n');
  }
  std::string line = buffered_.substr(0, end);
  buffered_.erase(0, end + 1);
  return line;
}

std::string PipedProcess::read_all(Duration timeout) {
  const MonoTime deadline = system_clock().mono_now() + timeout;
  while (fill(deadline)) {
  }
  return std::exchange(buffered_, {});
}

}  // namespace anclora::storage
