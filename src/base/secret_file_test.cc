#include "base/secret_file.h"

#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory_file_system.h"
#include "base/testing/temporary_directory.h"
#include "base/unique_fd.h"

namespace anclora {
namespace {

void write(FileSystem& fs, const std::string& path, ByteView bytes) {
  auto file = fs.create(path).value();
  ASSERT_TRUE(file->append(bytes).has_value());
}

TEST(SecretFile, IsReadToTheEndOfItsFirstLine) {
  MemoryFileSystem fs(system_clock());
  write(fs, "/one", "pass word\n");
  write(fs, "/two", "first\r\nsecond\n");
  write(fs, "/bare", "no newline");
  EXPECT_EQ(read_secret_file(fs, "/one").value().reveal(), "pass word");
  EXPECT_EQ(read_secret_file(fs, "/two").value().reveal(), "first");
  EXPECT_EQ(read_secret_file(fs, "/bare").value().reveal(), "no newline");
}

TEST(SecretFile, IsRefusedWhenEmptyTooLargeOrMissing) {
  MemoryFileSystem fs(system_clock());
  write(fs, "/empty", "");
  write(fs, "/blank", "\nsecret\n");
  write(fs, "/large", Bytes(4 * kKiB + 1, 'x'));
  EXPECT_EQ(read_secret_file(fs, "/empty").error().kind(), ErrorKind::kInvalidArgument);
  EXPECT_EQ(read_secret_file(fs, "/blank").error().kind(), ErrorKind::kInvalidArgument);
  EXPECT_EQ(read_secret_file(fs, "/large").error().kind(), ErrorKind::kInvalidArgument);
  EXPECT_EQ(read_secret_file(fs, "/none").error().kind(), ErrorKind::kNotFound);
}

TEST(SecretFile, MayBeALinkAsMountedSecretsAre) {
  const TemporaryDirectory directory;
  write(posix_file_system(), directory / "data", "secret\n");
  ASSERT_EQ(::symlink("data", (directory / "password").c_str()), 0);
  EXPECT_EQ(read_secret_file(posix_file_system(), directory / "password").value().reveal(), "secret");
}

// Runs `ask` in a process whose terminal we hold; returns its exit status and what the terminal showed.
int on_a_terminal(const std::string& typed, int (*ask)(), std::string& shown) {
  int fd = -1;
  const pid_t child = ::forkpty(&fd, nullptr, nullptr, nullptr);
  if (child == 0) ::_exit(ask());
  const UniqueFd terminal(fd);
  char buffer[256];
  while (shown.find("? ") == std::string::npos) {
    const ssize_t got = ::read(fd, buffer, sizeof(buffer));
    if (got <= 0) break;
    shown.append(buffer, static_cast<std::size_t>(got));
  }
  EXPECT_EQ(::write(fd, typed.data(), typed.size()), static_cast<ssize_t>(typed.size()));
  while (true) {
    const ssize_t got = ::read(fd, buffer, sizeof(buffer));
    if (got <= 0) break;
    shown.append(buffer, static_cast<std::size_t>(got));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(SecretPrompt, DoesNotShowWhatIsTyped) {
  std::string shown;
  const auto ask = [] {
    const auto secret = prompt_secret("Passphrase? ");
    return secret.has_value() && secret->reveal() == "s3cret" ? 17 : 1;
  };
  EXPECT_EQ(on_a_terminal("s3cret\n", ask, shown), 17);
  EXPECT_NE(shown.find("Passphrase? "), std::string::npos);
  EXPECT_EQ(shown.find("s3cret"), std::string::npos) << shown;
}

TEST(SecretPrompt, RefusesAnEmptyLine) {
  std::string shown;
  const auto ask = [] {
    const auto secret = prompt_secret("Passphrase? ");
    return !secret.has_value() && secret.error().kind() == ErrorKind::kInvalidArgument ? 17 : 1;
  };
  EXPECT_EQ(on_a_terminal("\n", ask, shown), 17);
}

TEST(SecretPrompt, NeedsATerminal) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setsid();  // leaves the terminal, if there is one
    const auto secret = prompt_secret("Passphrase? ");
    ::_exit(!secret.has_value() && secret.error().kind() == ErrorKind::kFailedPrecondition ? 17 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 17);
}

}  // namespace
}  // namespace anclora
