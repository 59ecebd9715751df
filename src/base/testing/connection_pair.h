// Two ends of one connection for tests.
#pragma once

#include <memory>

#include "base/socket.h"

namespace anclora {

struct ConnectionPair {
  std::unique_ptr<Connection> client;
  std::unique_ptr<Connection> server;
};

// Dials `listener` and accepts at the same time; both or the error of the client, else of the server.
Result<ConnectionPair> connect_pair(Listener& listener, const TlsOptions* client_tls = nullptr,
                                    const Endpoint* endpoint = nullptr);

}  // namespace anclora
