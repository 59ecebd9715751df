#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/address_lookup.h"
#include "base/os_error.h"
#include "base/plain_connection.h"
#include "base/socket.h"
#include "base/socket_handle.h"
#include "base/tls_connection.h"
#include "base/tls_session.h"

namespace anclora {
namespace {

void set_option(int fd, int level, int option, int value) {
  // A kernel without the option is slower or later, not wrong.
  ::setsockopt(fd, level, option, &value, sizeof(value));
}

void tune(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 15);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

Status finish_connect(SocketHandle& socket, MonoTime deadline) {
  RETURN_IF_ERROR(socket.wait_for(POLLOUT, deadline));
  int error_number = 0;
  ::socklen_t size = sizeof(error_number);
  if (::getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error_number, &size) != 0) error_number = errno;
  if (error_number != 0) return socket_error(error_number, "cannot connect to " + socket.name().to_string());
  return {};
}

Result<SocketHandle> connect_to(const SocketAddress& address, const Endpoint& endpoint, MonoTime deadline) {
  UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return socket_error(errno, "cannot make a socket for " + endpoint.to_string());
  if (address.family() != AF_UNIX) tune(fd.get());
  ASSIGN_OR_RETURN(SocketHandle socket, SocketHandle::own(std::move(fd), endpoint));
  if (::connect(socket.fd(), address.get(), address.size) == 0) return socket;
  if (errno != EINPROGRESS && errno != EINTR) return socket_error(errno, "cannot connect to " + endpoint.to_string());
  RETURN_IF_ERROR(finish_connect(socket, deadline));
  return socket;
}

// In order; each address may use its share of the time that is left, so that a silent first one cannot take it all.
Result<SocketHandle> connect_to_any(const std::vector<SocketAddress>& addresses, const Endpoint& endpoint,
                                    MonoTime deadline) {
  Error last(ErrorKind::kUnavailable, endpoint.to_string() + " has no address");
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const MonoTime now = system_clock().mono_now();
    const Duration share = (deadline - now) / static_cast<std::int64_t>(addresses.size() - i);
    auto socket = connect_to(addresses[i], endpoint, std::min(deadline, now + std::max(share, Duration::zero())));
    if (socket.has_value()) return socket;
    last = std::move(socket).error();
  }
  return last;
}

class SystemDialer final : public Dialer {
 public:
  Result<std::unique_ptr<Connection>> dial(const Endpoint& endpoint, const TlsOptions* tls, Duration timeout) override {
    const MonoTime deadline = deadline_after(timeout);
    TlsContext context;
    std::string server_name;
    if (tls != nullptr) {
      server_name = !tls->server_name.empty() || is_unix_path(endpoint) ? tls->server_name : endpoint.host;
      if (server_name.empty())
        return Error(ErrorKind::kInvalidArgument, "TLS over a Unix socket needs the server's name");
      ASSIGN_OR_RETURN(context, make_client_context(*tls));
    }
    ASSIGN_OR_RETURN(const std::vector<SocketAddress> addresses, look_up(endpoint, false, deadline));
    ASSIGN_OR_RETURN(SocketHandle socket, connect_to_any(addresses, endpoint, deadline));
    if (tls == nullptr) return std::make_unique<PlainConnection>(std::move(socket));
    return TlsConnection::connect(std::move(socket), *context, server_name, deadline);
  }
};

}  // namespace

Dialer& system_dialer() {
  static SystemDialer dialer;
  return dialer;
}

}  // namespace anclora
