#include "base/socket.h"

namespace anclora {

std::string Endpoint::to_string() const {
  if (host.starts_with('/')) return host;
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace anclora
