#include "respond/detect/tcp_probe.h"

#include "base/address_lookup.h"

namespace anclora::respond {

Reading TcpProbe::look(Duration timeout) {
  Reading reading;
  reading.at = clock_.wall_now();
  const MonoTime start = clock_.mono_now();
  if (auto found = look_up(endpoint_, false, start + timeout); !found.has_value()) {
    reading.reason = "its name cannot be resolved here: " + found.error().message();
  } else if (auto connection = dialer_.dial(endpoint_, nullptr, timeout); connection.has_value()) {
    reading.state = ProbeState::kUp;
  } else {
    reading.state = ProbeState::kDown;
    reading.reason = connection.error().message();
  }
  reading.took = clock_.mono_now() - start;
  return reading;
}

}  // namespace anclora::respond
