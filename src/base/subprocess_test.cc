#include "base/subprocess.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "base/file_system.h"
#include "base/testing/temporary_directory.h"
#include "base/unique_fd.h"

namespace anclora {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<Subprocess> shell(const std::string& script, const std::string& output = {}) {
  return Subprocess::start({.argv = {"sh", "-c", script}, .working_directory = {}, .output_file = output}).value();
}

bool is_alive(pid_t pid) { return ::kill(pid, 0) == 0; }

bool dies_soon(pid_t pid) {
  for (int i = 0; i < 15'000 && is_alive(pid); ++i) std::this_thread::sleep_for(10ms);
  return !is_alive(pid);
}

TEST(Subprocess, ReportsTheExitStatus) {
  EXPECT_EQ(shell("exit 7")->wait(60s), 7);
  EXPECT_EQ(shell("kill -TERM $$")->wait(60s), 128 + SIGTERM);
}

TEST(Subprocess, WritesBothStreamsToTheFile) {
  const TemporaryDirectory directory;
  ASSERT_EQ(shell("pwd; echo two >&2", directory / "out")->wait(60s), 0);
  const auto process = Subprocess::start(
      {.argv = {"sh", "-c", "pwd"}, .working_directory = directory.path(), .output_file = directory / "out2"});
  ASSERT_EQ((*process)->wait(60s), 0);
  EXPECT_NE(posix_file_system().read_all(directory / "out").value().find("\ntwo\n"), std::string::npos);
  EXPECT_NE(posix_file_system().read_all(directory / "out2").value().find("anclora-"), std::string::npos);
}

TEST(Subprocess, AddsToTheEnvironmentAndReplacesInIt) {
  const TemporaryDirectory directory;
  ::setenv("ANCLORA_TEST_KEPT", "kept", 1);
  ::setenv("ANCLORA_TEST_OLD", "old", 1);
  const auto process =
      Subprocess::start({.argv = {"sh", "-c", "echo $ANCLORA_TEST_KEPT $ANCLORA_TEST_OLD $ANCLORA_TEST_NEW"},
                         .working_directory = {},
                         .output_file = directory / "out",
                         .environment = {"ANCLORA_TEST_OLD=other", "ANCLORA_TEST_NEW=new"}});
  ASSERT_EQ((*process)->wait(60s), 0);
  EXPECT_EQ(posix_file_system().read_all(directory / "out").value(), "kept other new\n");
}

TEST(Subprocess, GivesTheInputWholeAndNothingOfOurEnvironmentWhenAskedTo) {
  const TemporaryDirectory directory;
  ::setenv("ANCLORA_TEST_KEPT", "kept", 1);
  const std::string input(300'000, 'i');
  const auto process = Subprocess::start({.argv = {"sh", "-c", "wc -c; env | grep -c ANCLORA_TEST; echo $ONLY"},
                                          .working_directory = {},
                                          .output_file = directory / "out",
                                          .environment = {"ONLY=this", "PATH=/usr/bin:/bin"},
                                          .only_this_environment = true,
                                          .input = input});
  ASSERT_EQ((*process)->wait(60s), 0);
  EXPECT_EQ(posix_file_system().read_all(directory / "out").value(), "300000\n0\nthis\n");
}

TEST(Subprocess, NamesWhatCannotBeStarted) {
  const auto missing = Subprocess::start({.argv = {"no-such-program"}, .working_directory = {}, .output_file = {}});
  EXPECT_EQ(missing.error().kind(), ErrorKind::kNotFound);
  const auto path = Subprocess::start({.argv = {"/no/such/program"}, .working_directory = {}, .output_file = {}});
  EXPECT_EQ(path.error().kind(), ErrorKind::kNotFound);
  const auto folder = Subprocess::start({.argv = {"sh"}, .working_directory = "/no/such", .output_file = {}});
  EXPECT_EQ(folder.error().kind(), ErrorKind::kNotFound);
}

TEST(Subprocess, GivesUpWaitingAfterTheTimeout) {
  const auto process = shell("sleep 60");
  EXPECT_EQ(process->wait(20ms), std::nullopt);
  process->signal(SIGTERM);
  EXPECT_EQ(process->wait(60s), 128 + SIGTERM);
}

TEST(Subprocess, KillsTheWholeGroupWhenDestroyed) {
  const TemporaryDirectory directory;
  const std::string file = directory / "grandchild";
  auto process = shell("sleep 60 & echo $!; wait", file);
  std::string text;
  for (int i = 0; i < 15'000 && text.find('\n') == std::string::npos; ++i) {
    std::this_thread::sleep_for(10ms);
    text = posix_file_system().read_all(file).value_or("");
  }
  const pid_t grandchild = std::stoi(text);
  const pid_t child = process->pid();
  ASSERT_TRUE(is_alive(grandchild));
  process.reset();
  EXPECT_FALSE(is_alive(child));
  EXPECT_TRUE(dies_soon(grandchild));
}

TEST(Subprocess, OutlivesTheThreadThatStartedIt) {
  std::unique_ptr<Subprocess> process;
  std::thread([&process] { process = shell("sleep 60"); }).join();
  EXPECT_EQ(process->wait(100ms), std::nullopt);
}

TEST(Subprocess, DiesWithOurProcess) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    const auto process = Subprocess::start({.argv = {"sleep", "60"}, .working_directory = {}, .output_file = {}});
    const pid_t pid = process.has_value() ? (*process)->pid() : -1;
    if (::write(ends[1], &pid, sizeof(pid)) < 0) ::_exit(1);
    ::pause();
  }
  pid_t child = -1;
  ASSERT_EQ(::read(ends[0], &child, sizeof(child)), static_cast<ssize_t>(sizeof(child)));
  ASSERT_GT(child, 0);
  ASSERT_TRUE(is_alive(child));
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  EXPECT_TRUE(dies_soon(child));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Subprocess, InheritsNoDescriptor) {
  const TemporaryDirectory directory;
  const UniqueFd leaky(::open("/dev/null", O_RDONLY));  // no O_CLOEXEC, as a careless library would
  const UniqueFd high(::dup2(leaky.get(), 77));
  ASSERT_EQ(shell("if [ -e /proc/self/fd/77 ]; then echo leaked; else echo clean; fi", directory / "out")->wait(60s),
            0);
  EXPECT_EQ(posix_file_system().read_all(directory / "out").value(), "clean\n");
}

}  // namespace
}  // namespace anclora
