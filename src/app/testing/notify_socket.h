// What systemd does for a service of Type=notify: a bound datagram socket.
#pragma once

#include <string>

#include "base/unique_fd.h"

namespace anclora::app {

class NotifySocket {
 public:
  // A leading '@' stands for an abstract name. Throws std::runtime_error where it cannot be bound.
  explicit NotifySocket(std::string name);
  // The next datagram; "" when none waits.
  std::string next();

 private:
  UniqueFd socket_;
};

}  // namespace anclora::app
