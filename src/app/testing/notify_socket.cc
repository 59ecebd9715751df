#include "app/testing/notify_socket.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <stdexcept>

namespace anclora::app {

NotifySocket::NotifySocket(std::string name)
    : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (name.front() == '@') name.front() = '\0';
  std::copy(name.begin(), name.end(), address.sun_path);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0)
    throw std::runtime_error("cannot bind the socket that stands for systemd's");
}

std::string NotifySocket::next() {
  std::array<char, 4096> buffer = {};
  const ssize_t size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  return size < 0 ? "" : std::string(buffer.data(), static_cast<std::size_t>(size));
}

}  // namespace anclora::app
