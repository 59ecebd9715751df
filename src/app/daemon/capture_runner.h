// Runs one capture in the foreground until it is asked to stop: progress lines, metrics, systemd, the final word.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <stop_token>

#include "app/daemon/service_notifier.h"
#include "protect/capture/capture.h"

namespace anclora::app {

struct CaptureRunnerOptions {
  Duration drain_timeout = std::chrono::seconds(10);
  std::optional<Endpoint> metrics;
  Duration stuck_after = protect::ThreadBeats::kStuckAfter;  // the watchdog's: no word of life from then on
  bool json = false;                                         // progress as JSON lines
  bool terminal = false;                                     // one changing line instead of a line a minute
};

// Ok: stopped, everything received is protected. Errors: Capture::run()'s.
Status run_capture(protect::Capture& capture, const CaptureRunnerOptions& options, Clock& clock,
                   const ServiceNotifier& notifier, std::ostream& out, const std::stop_token& stop);

}  // namespace anclora::app
