#include "app/daemon/service_notifier.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "base/os_error.h"
#include "base/unique_fd.h"
#include "base/whole_number.h"

namespace anclora::app {
namespace {

std::optional<std::int64_t> parse_positive(const std::string& text) {
  const auto value = whole_number<std::int64_t>(text);
  return value && *value > 0 ? value : std::nullopt;
}

std::string status_line(std::string_view status) {
  std::string line = "STATUS=" + std::string(status);
  std::ranges::replace_if(line, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return line + "\n";
}

}  // namespace

Result<ServiceNotifier> ServiceNotifier::create(
    const std::function<std::optional<std::string>(const std::string&)>& environment) {
  const std::string socket_path = environment("NOTIFY_SOCKET").value_or("");
  if (socket_path.empty()) return ServiceNotifier("", std::nullopt);
  if ((socket_path.front() != '/' && socket_path.front() != '@') || socket_path.size() < 2 ||
      socket_path.size() >= sizeof(sockaddr_un::sun_path))
    return Error(ErrorKind::kInvalidArgument, "NOTIFY_SOCKET is neither an absolute path nor an abstract socket",
                 "systemd sets it; unset it when starting by hand");
  std::optional<Duration> interval;
  const auto watchdog_us = environment("WATCHDOG_USEC");
  if (watchdog_us && !watchdog_us->empty()) {
    const auto allowed = parse_positive(*watchdog_us);
    if (!allowed)
      return Error(ErrorKind::kInvalidArgument, "WATCHDOG_USEC is not a positive number: " + *watchdog_us,
                   "systemd sets it; unset it when starting by hand");
    const auto process = environment("WATCHDOG_PID");
    if (!process || *process == std::to_string(::getpid()))
      interval = Duration(std::max<std::int64_t>(*allowed / 2, 1));
  }
  return ServiceNotifier(socket_path, interval);
}

Status ServiceNotifier::ready(std::string_view status) const { return send("READY=1\n" + status_line(status)); }
Status ServiceNotifier::status(std::string_view status) const { return send(status_line(status)); }
Status ServiceNotifier::watchdog() const { return send("WATCHDOG=1\n"); }
Status ServiceNotifier::stopping(std::string_view status) const { return send("STOPPING=1\n" + status_line(status)); }

Status ServiceNotifier::send(const std::string& message) const {
  if (socket_path_.empty()) return {};
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return os_error(errno, "opening a socket for systemd");
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::ranges::copy(socket_path_, address.sun_path);
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_path_.size());
  const ssize_t sent = ::sendto(socket.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                                reinterpret_cast<const sockaddr*>(&address), length);
  if (sent < 0) return os_error(errno, "telling systemd at " + socket_path_);
  return {};
}

}  // namespace anclora::app
