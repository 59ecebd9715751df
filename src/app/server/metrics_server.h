// GET /metrics (Prometheus text) and GET /healthz over HTTP, on an address that the user gives.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/socket.h"

namespace anclora::app {

// Serves from threads of its own until destroyed.
class MetricsServer {
 public:
  // `render` is called by any thread for each GET /metrics. kAlreadyExists: the port is taken.
  static Result<std::unique_ptr<MetricsServer>> start(const Endpoint& address, std::function<std::string()> render);
  virtual ~MetricsServer() = default;
  virtual std::uint16_t port() const = 0;
};

}  // namespace anclora::app
