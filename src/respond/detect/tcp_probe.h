// Looks whether somebody listens.
#pragma once

#include "base/socket.h"
#include "respond/detect/probe.h"

namespace anclora::respond {

// down: refused, unreachable, no answer in time. unknown: our resolver fails.
class TcpProbe final : public Probe {
 public:
  TcpProbe(Endpoint endpoint, Dialer& dialer, Clock& clock)
      : endpoint_(std::move(endpoint)), dialer_(dialer), clock_(clock) {}
  Reading look(Duration timeout) override;

 private:
  Endpoint endpoint_;
  Dialer& dialer_;
  Clock& clock_;
};

}  // namespace anclora::respond
