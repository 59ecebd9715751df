#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

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

// Between two processes of one machine, what is on its way is read from the processor's cache only if it is little.
// Grown by the kernel to megabytes, a restore into a server beside us took 4-8 % longer (bench/run.py, restore).
constexpr int kSameMachineSendBytes = 64 * 1024;

void keep_little_on_the_way(int fd, const Endpoint& peer) {
  ::sockaddr_storage own = {};
  ::socklen_t size = sizeof(own);
  if (::getsockname(fd, reinterpret_cast<::sockaddr*>(&own), &size) != 0) return;
  if (endpoint_of(own, size).host != peer.host) return;
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSameMachineSendBytes, sizeof(kSameMachineSendBytes));
}

class SocketListener final : public Listener {
 public:
  SocketListener(SocketHandle socket, TlsContext context, std::string unix_path)
      : socket_(std::move(socket)), context_(std::move(context)), unix_path_(std::move(unix_path)) {}
  ~SocketListener() override {
    if (!unix_path_.empty()) ::unlink(unix_path_.c_str());
  }

  Result<std::unique_ptr<Connection>> accept(Duration timeout) override {
    ASSIGN_OR_RETURN(SocketHandle peer, accept_socket(deadline_after(timeout)));
    if (!context_) return std::make_unique<PlainConnection>(std::move(peer));
    return TlsConnection::accepted(std::move(peer), *context_);
  }
  void interrupt() override { socket_.interrupt(); }
  Endpoint local() const override { return socket_.local(); }

 private:
  Result<SocketHandle> accept_socket(MonoTime deadline) {
    while (true) {
      ::sockaddr_storage address = {};
      ::socklen_t size = sizeof(address);
      UniqueFd fd(
          ::accept4(socket_.fd(), reinterpret_cast<::sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (fd.is_open()) {
        const int on = 1;
        // Fails on a Unix socket, which has no such delay.
        ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        Endpoint name = unix_path_.empty() ? endpoint_of(address, size) : Endpoint{unix_path_, 0};
        if (unix_path_.empty()) keep_little_on_the_way(fd.get(), name);
        return SocketHandle::own(std::move(fd), std::move(name));
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK)
        RETURN_IF_ERROR(socket_.wait_for(POLLIN, deadline));
      else if (errno != EINTR && errno != ECONNABORTED)
        return socket_error(errno, "cannot accept at " + socket_.name().to_string());
    }
  }

  SocketHandle socket_;
  TlsContext context_;
  std::string unix_path_;
};

// A socket file whose server is gone would keep its name taken for ever.
void remove_dead_socket(const SocketAddress& address, const std::string& path) {
  struct ::stat facts = {};
  if (::lstat(path.c_str(), &facts) != 0 || !S_ISSOCK(facts.st_mode)) return;
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::connect(probe.get(), address.get(), address.size) != 0 && errno == ECONNREFUSED) ::unlink(path.c_str());
}

Result<UniqueFd> bind_to(const SocketAddress& address, const Endpoint& endpoint) {
  UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return socket_error(errno, "cannot make a socket for " + endpoint.to_string());
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (is_unix_path(endpoint)) remove_dead_socket(address, endpoint.host);
  if (::bind(fd.get(), address.get(), address.size) != 0 || ::listen(fd.get(), 128) != 0)
    return socket_error(errno, "cannot listen at " + endpoint.to_string());
  return fd;
}

}  // namespace

Result<std::unique_ptr<Listener>> listen_on(const Endpoint& endpoint, const TlsOptions* tls) {
  TlsContext context;
  if (tls != nullptr) {
    ASSIGN_OR_RETURN(context, make_server_context(*tls));
  }
  ASSIGN_OR_RETURN(const std::vector<SocketAddress> addresses, look_up(endpoint, true, MonoTime::max()));
  Error last(ErrorKind::kUnavailable, endpoint.to_string() + " has no address");
  for (const SocketAddress& address : addresses) {
    auto fd = bind_to(address, endpoint);
    if (!fd.has_value()) {
      last = std::move(fd).error();
      continue;
    }
    ASSIGN_OR_RETURN(SocketHandle socket, SocketHandle::own(*std::move(fd), endpoint));
    return std::make_unique<SocketListener>(std::move(socket), std::move(context),
                                            is_unix_path(endpoint) ? endpoint.host : std::string());
  }
  return last;
}

}  // namespace anclora
