#include "base/address_lookup.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

namespace anclora {
namespace {

Result<SocketAddress> unix_address(const std::string& path) {
  ::sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path))
    return Error(ErrorKind::kInvalidArgument, "the path of the Unix socket is too long: " + path,
                 "use a path of at most 107 bytes");
  std::memcpy(address.sun_path, path.data(), path.size());
  SocketAddress result;
  std::memcpy(&result.storage, &address, sizeof(address));
  result.size = sizeof(address);
  return result;
}

Result<std::vector<SocketAddress>> ask_resolver(const Endpoint& endpoint, int flags) {
  ::addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  ::addrinfo* found = nullptr;
  const std::string port = std::to_string(endpoint.port);
  const bool any = endpoint.host.empty() || endpoint.host == "*";
  const int code = ::getaddrinfo(any ? nullptr : endpoint.host.c_str(), port.c_str(), &hints, &found);
  if (code != 0)
    return Error(ErrorKind::kUnavailable, "cannot find the address of " + endpoint.host + ": " + ::gai_strerror(code),
                 "check the name and this machine's DNS");
  std::vector<SocketAddress> addresses;
  for (const ::addrinfo* each = found; each != nullptr; each = each->ai_next) {
    if (each->ai_addrlen > sizeof(::sockaddr_storage)) continue;
    SocketAddress address;
    std::memcpy(&address.storage, each->ai_addr, each->ai_addrlen);
    address.size = each->ai_addrlen;
    addresses.push_back(address);
  }
  ::freeaddrinfo(found);
  return addresses;
}

struct Lookup {
  std::mutex mutex;
  std::condition_variable done;
  std::optional<Result<std::vector<SocketAddress>>> answer;
};

// getaddrinfo() knows no deadline, so a thread of its own waits for it.
Result<std::vector<SocketAddress>> ask_resolver_until(const Endpoint& endpoint, MonoTime deadline) {
  const auto lookup = std::make_shared<Lookup>();
  try {
    std::thread([lookup, endpoint] {
      auto answer = ask_resolver(endpoint, AI_ADDRCONFIG);
      const std::lock_guard lock(lookup->mutex);
      lookup->answer = std::move(answer);
      lookup->done.notify_all();
    }).detach();
  } catch (const std::system_error& error) {
    return Error(ErrorKind::kResourceExhausted, std::string("cannot start a thread: ") + error.what());
  }
  std::unique_lock lock(lookup->mutex);
  const Duration left = deadline - system_clock().mono_now();
  // A wait for ever would overflow inside wait_for.
  if (lookup->done.wait_for(lock, std::min<Duration>(left, std::chrono::hours(1)),
                            [&] { return lookup->answer.has_value(); }))
    return *std::move(lookup->answer);
  return Error(ErrorKind::kDeadlineExceeded, "cannot find the address of " + endpoint.host + " in time",
               "check the name and this machine's DNS");
}

}  // namespace

bool is_unix_path(const Endpoint& endpoint) { return endpoint.host.starts_with('/'); }

Result<std::vector<SocketAddress>> look_up(const Endpoint& endpoint, bool passive, MonoTime deadline) {
  if (is_unix_path(endpoint)) {
    ASSIGN_OR_RETURN(const SocketAddress address, unix_address(endpoint.host));
    return std::vector<SocketAddress>{address};
  }
  if (passive) return ask_resolver(endpoint, AI_PASSIVE);
  if (endpoint.host.empty()) return Error(ErrorKind::kInvalidArgument, "an endpoint without a host");
  if (auto numeric = ask_resolver(endpoint, AI_NUMERICHOST); numeric.has_value()) return numeric;
  return ask_resolver_until(endpoint, deadline);
}

}  // namespace anclora
