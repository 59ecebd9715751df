// Endpoints to socket addresses.
#pragma once

#include <sys/socket.h>

#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/socket.h"

namespace anclora {

struct SocketAddress {
  ::sockaddr_storage storage = {};
  ::socklen_t size = 0;
  const ::sockaddr* get() const { return reinterpret_cast<const ::sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

// All addresses of a host, in the order to try them; one for a Unix socket. kUnavailable when the name is unknown,
// kDeadlineExceeded when the resolver does not answer in time (it cannot be stopped: its thread ends by itself),
// kInvalidArgument for a path that is too long. `passive`: for listening; an empty host or "*" is every address.
Result<std::vector<SocketAddress>> look_up(const Endpoint& endpoint, bool passive, MonoTime deadline);

bool is_unix_path(const Endpoint& endpoint);

}  // namespace anclora
