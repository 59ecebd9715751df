// A non-blocking socket descriptor with what all connections and listeners share: waiting with a deadline, and
// interrupt.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/socket.h"
#include "base/unique_fd.h"

namespace anclora {

// Never overflows, whatever the timeout; at once for a timeout of zero or less.
MonoTime deadline_after(Duration timeout);

// kUnavailable for what may pass (refused, reset, unreachable, ...); as os_error() otherwise.
Error socket_error(int error_number, const std::string& what);

// The numeric form of a socket address.
Endpoint endpoint_of(const ::sockaddr_storage& address, ::socklen_t size);

// One thread at a time, except interrupt().
class SocketHandle {
 public:
  // `fd` is non-blocking and close-on-exec. `name` is the peer (or the listening address) for messages.
  static Result<SocketHandle> own(UniqueFd fd, Endpoint name);
  SocketHandle(SocketHandle&& other) noexcept
      : fd_(std::move(other.fd_)), wake_(std::move(other.wake_)), name_(std::move(other.name_)) {}

  int fd() const { return fd_.get(); }
  const Endpoint& name() const { return name_; }
  Endpoint local() const;

  // Waits for POLLIN or POLLOUT. kDeadlineExceeded, or kCancelled after interrupt().
  Status wait_for(short events, MonoTime deadline);
  // kCancelled when an interrupt is pending, which this takes.
  Status check_interrupt();
  // From any thread.
  void interrupt();

 private:
  SocketHandle(UniqueFd fd, UniqueFd wake, Endpoint name)
      : fd_(std::move(fd)), wake_(std::move(wake)), name_(std::move(name)) {}

  UniqueFd fd_;
  UniqueFd wake_;  // an eventfd: only wakes poll; the truth is interrupted_
  std::atomic<bool> interrupted_{false};
  Endpoint name_;
};

// How many bytes one read may take into `out`: enough for few system calls, and never `limit` at once, which may be far
// more than what is there.
std::size_t read_chunk(const Bytes& out, std::size_t limit);

}  // namespace anclora
