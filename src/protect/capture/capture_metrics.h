// A capture's status as Prometheus text. Names are documented in docs/operations/metrics.md and stay.
#pragma once

#include <string>

#include "protect/capture/capture_status.h"

namespace anclora::protect {

std::string render_capture_metrics(const CaptureStatus& status, WallTime now);

}  // namespace anclora::protect
