// Tells systemd how the service is (Type=notify), without libsystemd: datagrams to the Unix socket that $NOTIFY_SOCKET
// names. Protocol: sd_notify(3).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace anclora::app {

// Any thread. Never waits: a message that systemd does not take at once is an error to report, not to wait for.
class ServiceNotifier {
 public:
  // From NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. Without NOTIFY_SOCKET every call does nothing and succeeds.
  // kInvalidArgument: NOTIFY_SOCKET or WATCHDOG_USEC is malformed.
  static Result<ServiceNotifier> create(
      const std::function<std::optional<std::string>(const std::string&)>& environment);

  // Started: what depends on the service may start.
  Status ready(std::string_view status) const;
  // One line for `systemctl status`; line ends in it become spaces.
  Status status(std::string_view status) const;
  // Alive. To be called from the loop whose death should be noticed, each watchdog_interval().
  Status watchdog() const;
  Status stopping(std::string_view status) const;

  // Half of what the unit's WatchdogSec allows; nothing when the watchdog is off or meant for another process.
  std::optional<Duration> watchdog_interval() const { return watchdog_interval_; }

 private:
  ServiceNotifier(std::string socket_path, std::optional<Duration> watchdog_interval)
      : socket_path_(std::move(socket_path)), watchdog_interval_(watchdog_interval) {}
  Status send(const std::string& message) const;

  std::string socket_path_;  // empty: not started by systemd; a leading '@': abstract
  std::optional<Duration> watchdog_interval_;
};

}  // namespace anclora::app
