#include "base/output_buffer.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <ostream>
#include <string_view>

#include "base/os_error.h"
#include "base/printable.h"

namespace anclora {
namespace {

constexpr std::string_view kEraseLine = "\r\x1b[K";
constexpr std::size_t kKeptBytes = std::size_t{64} * 1024;

// 0, or errno.
int write_whole(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {  // another process made the shared descriptor non-blocking
      pollfd ready{fd, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

}  // namespace

OutputBuffer::OutputBuffer(int fd, std::string name, When when) : fd_(fd), name_(std::move(name)), when_(when) {}

void OutputBuffer::print_exactly() {
  const std::lock_guard lock(mutex_);
  exact_ = true;
}

void OutputBuffer::erase_line() {
  const std::lock_guard lock(mutex_);
  waiting_ += kEraseLine;
}

Status OutputBuffer::written() {
  const std::lock_guard lock(mutex_);
  flush();
  if (failed_ != 0) return os_error(failed_, name_ + " cannot be written");
  return {};
}

OutputBuffer::int_type OutputBuffer::overflow(int_type byte) {
  if (traits_type::eq_int_type(byte, traits_type::eof())) return traits_type::not_eof(byte);
  const char one = traits_type::to_char_type(byte);
  append(&one, 1);
  return byte;
}

std::streamsize OutputBuffer::xsputn(const char* bytes, std::streamsize count) {
  append(bytes, static_cast<std::size_t>(count));
  return count;
}

int OutputBuffer::sync() {
  const std::lock_guard lock(mutex_);
  flush();
  return 0;
}

void OutputBuffer::append(const char* bytes, std::size_t count) {
  const std::lock_guard lock(mutex_);
  take({bytes, count});
  if (when_ == When::kAtOnce || waiting_.size() >= kKeptBytes) write_out();
}

void OutputBuffer::take(std::string_view text) {
  if (exact_) {
    waiting_ += text;
    return;
  }
  unfinished_ += text;
  const std::size_t rest = unfinished_character(unfinished_);
  waiting_ += printable_text(std::string_view(unfinished_).substr(0, unfinished_.size() - rest));
  unfinished_.erase(0, unfinished_.size() - rest);
}

void OutputBuffer::flush() {
  waiting_ += printable_text(unfinished_);
  unfinished_.clear();
  write_out();
}

void OutputBuffer::write_out() {
  const int failed = write_whole(fd_, waiting_);
  if (failed_ == 0) failed_ = failed;
  waiting_.clear();
}

std::ostream& erase_line(std::ostream& out) {
  if (auto* buffer = dynamic_cast<OutputBuffer*>(out.rdbuf()))
    buffer->erase_line();
  else
    out << kEraseLine;
  return out;
}

Status printed(std::ostream& out) {
  if (auto* buffer = dynamic_cast<OutputBuffer*>(out.rdbuf())) return buffer->written();
  if (!out.flush()) return Error(ErrorKind::kIo, "the output cannot be written");
  return {};
}

void hold_standard_descriptors() {
  // Opened the wrong way round, so that the first use fails.
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(fd, F_GETFD) == -1 && errno == EBADF)
      (void)::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

}  // namespace anclora
