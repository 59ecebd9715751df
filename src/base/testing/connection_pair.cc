#include "base/testing/connection_pair.h"

#include <future>

namespace anclora {

Result<ConnectionPair> connect_pair(Listener& listener, const TlsOptions* client_tls, const Endpoint* endpoint) {
  auto accepted = std::async(std::launch::async, [&listener]() -> Result<std::unique_ptr<Connection>> {
    ASSIGN_OR_RETURN(auto server, listener.accept(std::chrono::seconds(60)));
    RETURN_IF_ERROR(server->handshake(std::chrono::seconds(60)));
    return server;
  });
  auto client =
      system_dialer().dial(endpoint != nullptr ? *endpoint : listener.local(), client_tls, std::chrono::seconds(60));
  if (!client.has_value()) listener.interrupt();
  auto server = accepted.get();
  if (!client.has_value()) return std::move(client).error();
  if (!server.has_value()) return std::move(server).error();
  return ConnectionPair{*std::move(client), *std::move(server)};
}

}  // namespace anclora
