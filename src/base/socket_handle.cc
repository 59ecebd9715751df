#include "base/socket_handle.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "base/os_error.h"

namespace anclora {
namespace {

constexpr std::size_t kReadChunkBytes = 256 * kKiB;

// For poll(): rounded up, so that a deadline has passed when the wait is over.
int poll_milliseconds(MonoTime deadline) {
  const MonoTime now = system_clock().mono_now();
  if (deadline <= now) return 0;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
  return static_cast<int>(std::min<std::int64_t>(left, std::int64_t{24} * 3600 * 1000));
}

}  // namespace

MonoTime deadline_after(Duration timeout) {
  const MonoTime now = system_clock().mono_now();
  if (timeout <= Duration::zero()) return now;
  return timeout > MonoTime::max() - now ? MonoTime::max() : now + timeout;
}

Error socket_error(int error_number, const std::string& what) {
  switch (error_number) {
    case ECONNREFUSED:
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
    case ENOTCONN:
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENETUNREACH:
    case ENETDOWN:
    case ENETRESET:
    case EADDRNOTAVAIL:
    case EAGAIN:  // a Unix socket whose queue is full
    case ENOENT:  // a Unix socket whose server is not up
      return Error(ErrorKind::kUnavailable, what + ": " + os_error_text(error_number));
    case EADDRINUSE:
      return Error(ErrorKind::kAlreadyExists, what + ": " + os_error_text(error_number));
    default:
      return os_error(error_number, what);
  }
}

Endpoint endpoint_of(const ::sockaddr_storage& address, ::socklen_t size) {
  Endpoint endpoint;
  char text[INET6_ADDRSTRLEN] = {};
  if (address.ss_family == AF_INET) {
    ::sockaddr_in in = {};
    std::memcpy(&in, &address, sizeof(in));
    ::inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text));
    endpoint = {text, ntohs(in.sin_port)};
  } else if (address.ss_family == AF_INET6) {
    ::sockaddr_in6 in = {};
    std::memcpy(&in, &address, sizeof(in));
    ::inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof(text));
    endpoint = {text, ntohs(in.sin6_port)};
  } else if (address.ss_family == AF_UNIX && size > offsetof(::sockaddr_un, sun_path)) {
    ::sockaddr_un un = {};
    std::memcpy(&un, &address, std::min<std::size_t>(size, sizeof(un)));
    endpoint.host.assign(un.sun_path, ::strnlen(un.sun_path, sizeof(un.sun_path)));
  }
  return endpoint;
}

Result<SocketHandle> SocketHandle::own(UniqueFd fd, Endpoint name) {
  UniqueFd wake(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wake.is_open()) return os_error(errno, "cannot make an event descriptor");
  return SocketHandle(std::move(fd), std::move(wake), std::move(name));
}

Endpoint SocketHandle::local() const {
  ::sockaddr_storage address = {};
  ::socklen_t size = sizeof(address);
  if (::getsockname(fd_.get(), reinterpret_cast<::sockaddr*>(&address), &size) != 0) return {};
  return endpoint_of(address, size);
}

Status SocketHandle::wait_for(short events, MonoTime deadline) {
  while (true) {
    RETURN_IF_ERROR(check_interrupt());
    ::pollfd watched[2] = {{fd_.get(), events, 0}, {wake_.get(), POLLIN, 0}};
    const int ready = ::poll(watched, 2, poll_milliseconds(deadline));
    if (ready < 0 && errno != EINTR) return os_error(errno, "cannot wait for " + name_.to_string());
    if (ready > 0 && watched[1].revents != 0) {
      std::uint64_t count = 0;
      // Nothing to read is as good: interrupted_ decides.
      if (::read(wake_.get(), &count, sizeof(count)) < 0) count = 0;
      continue;
    }
    if (ready > 0) return {};
    if (system_clock().mono_now() >= deadline)
      return Error(ErrorKind::kDeadlineExceeded, "no answer from " + name_.to_string() + " in time");
  }
}

Status SocketHandle::check_interrupt() {
  if (!interrupted_.load(std::memory_order_relaxed) || !interrupted_.exchange(false)) return {};
  return Error(ErrorKind::kCancelled, "interrupted while talking to " + name_.to_string());
}

void SocketHandle::interrupt() {
  interrupted_.store(true);
  const std::uint64_t one = 1;
  // It fails only when the counter is full, and then poll wakes as well.
  if (::write(wake_.get(), &one, sizeof(one)) < 0) return;
}

std::size_t read_chunk(const Bytes& out, std::size_t limit) {
  return std::min(limit, std::max(kReadChunkBytes, out.capacity() - out.size()));
}

}  // namespace anclora
