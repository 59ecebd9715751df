// The API over HTTP, from threads of its own until destroyed.
#pragma once

#include <memory>

#include "app/server/api_router.h"
#include "base/socket.h"

namespace anclora::app {

// A body may have 1 MiB, the headers 8 KiB a line; the times are those of HttpBounds.
class ApiServer {
 public:
  // kAlreadyExists: the port is taken. `api` outlives it.
  static Result<std::unique_ptr<ApiServer>> start(const Endpoint& address, ServedApi& api, ApiRules rules);
  virtual ~ApiServer() = default;
  virtual std::uint16_t port() const = 0;
};

// 127.0.0.0/8, ::1, localhost.
bool is_loopback(const std::string& host);

}  // namespace anclora::app
