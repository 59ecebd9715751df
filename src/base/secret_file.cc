#include "base/secret_file.h"

#include <fcntl.h>
#include <sodium.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "base/os_error.h"
#include "base/unique_fd.h"

namespace anclora {
namespace {

constexpr std::size_t kMaxSecretBytes = 4 * kKiB;

// The first line; wipes what it was given.
Secret first_line_of(Bytes&& text) {
  const std::size_t size = text.find_first_of("\r\n");
  Secret line(text.substr(0, size));
  sodium_memzero(text.data(), text.size());
  return line;
}

// Turns the echo of a terminal off, and back on whatever happens.
class SilentTerminal {
 public:
  explicit SilentTerminal(int fd) : fd_(fd) {
    ok_ = ::tcgetattr(fd_, &before_) == 0;
    if (!ok_) return;
    struct ::termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent.c_lflag |= ECHONL | ICANON | ISIG;
    ok_ = ::tcsetattr(fd_, TCSAFLUSH, &silent) == 0;
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;
  ~SilentTerminal() {
    if (ok_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
  }
  bool ok() const { return ok_; }

 private:
  int fd_;
  bool ok_ = false;
  struct ::termios before_ = {};
};

Result<Secret> read_line(int fd) {
  // Reserved, so that no growing leaves copies behind.
  Bytes line;
  line.reserve(kMaxSecretBytes + 1);
  while (line.size() < kMaxSecretBytes) {
    char next = 0;
    const ssize_t got = ::read(fd, &next, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os_error(errno, "cannot read from the terminal");
    if (got == 0 && line.empty()) return Error(ErrorKind::kCancelled, "nothing was typed");
    if (got == 0 || next == '\n') return first_line_of(std::move(line));
    line.push_back(next);
  }
  sodium_memzero(line.data(), line.size());
  return Error(ErrorKind::kInvalidArgument, "the line is longer than 4 KiB");
}

}  // namespace

Result<Secret> read_secret_file(FileSystem& file_system, const std::string& path) {
  ASSIGN_OR_RETURN(const std::string resolved, file_system.resolve(path));
  auto text = file_system.read_all(resolved, kMaxSecretBytes);
  if (!text.has_value() && text.error().kind() == ErrorKind::kResourceExhausted)
    return Error(ErrorKind::kInvalidArgument, "the secret file " + path + " is larger than 4 KiB",
                 "put the secret alone on its first line");
  if (!text.has_value()) return std::move(text).error();
  Secret secret = first_line_of(*std::move(text));
  if (secret.empty())
    return Error(ErrorKind::kInvalidArgument, "the first line of the secret file " + path + " is empty",
                 "put the secret on its first line");
  return secret;
}

Result<Secret> prompt_secret(const std::string& prompt) {
  const UniqueFd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal.is_open()) return Error(ErrorKind::kFailedPrecondition, "there is no terminal to ask for a secret");
  const SilentTerminal silent(terminal.get());
  if (!silent.ok()) return os_error(errno, "cannot turn off the terminal's echo");
  if (::write(terminal.get(), prompt.data(), prompt.size()) < 0) return os_error(errno, "cannot write to the terminal");
  ASSIGN_OR_RETURN(Secret secret, read_line(terminal.get()));
  if (secret.empty()) return Error(ErrorKind::kInvalidArgument, "an empty line is not a secret");
  return secret;
}

}  // namespace anclora
