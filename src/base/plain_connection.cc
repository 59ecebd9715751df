#include "base/plain_connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace anclora {

Result<std::size_t> PlainConnection::read_some(Bytes& out, std::size_t limit, Duration timeout) {
  if (limit == 0) return Error(ErrorKind::kInternal, "a read of no bytes would look like a closed connection");
  RETURN_IF_ERROR(socket_.check_interrupt());
  const MonoTime deadline = deadline_after(timeout);
  const std::size_t before = out.size();
  while (true) {
    ssize_t got = 0;
    int error_number = 0;
    out.resize_and_overwrite(before + read_chunk(out, limit), [&](char* data, std::size_t size) {
      got = ::recv(socket_.fd(), data + before, size - before, 0);
      error_number = errno;
      return before + (got > 0 ? static_cast<std::size_t>(got) : 0);
    });
    if (got >= 0) return static_cast<std::size_t>(got);
    if (error_number == EAGAIN || error_number == EWOULDBLOCK) {
      RETURN_IF_ERROR(socket_.wait_for(POLLIN, deadline));
    } else if (error_number != EINTR) {
      return socket_error(error_number, "the connection to " + peer().to_string() + " was cut");
    }
  }
}

Status PlainConnection::write_all(ByteView bytes, Duration timeout) {
  if (torn_)
    return Error(ErrorKind::kUnavailable, "an earlier write to " + peer().to_string() + " stopped half way",
                 "open a new connection");
  RETURN_IF_ERROR(socket_.check_interrupt());
  const MonoTime deadline = deadline_after(timeout);
  const std::size_t whole = bytes.size();
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      const Status ready = socket_.wait_for(POLLOUT, deadline);
      torn_ = !ready.has_value() && bytes.size() < whole;
      RETURN_IF_ERROR(ready);
    } else if (errno != EINTR) {
      torn_ = true;
      return socket_error(errno, "the connection to " + peer().to_string() + " was cut");
    }
  }
  return {};
}

}  // namespace anclora
