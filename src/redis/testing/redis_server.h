// A real redis-server on a free loopback port with its own temporary directory, for tests: `redis-server` from PATH, or
// the program that ANCLORA_REDIS_SERVER names. Failures throw std::runtime_error with the end of the server's log,
// which GoogleTest reports. Stopped by process id when destroyed.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/subprocess.h"
#include "base/testing/temporary_directory.h"
#include "redis/client/client.h"

namespace anclora::redis {

struct RedisServerOptions {
  // Lines of redis.conf, after those of the fixture (loopback, no saving, no delay before a diskless sync, DEBUG
  // allowed) and so stronger than they.
  std::vector<std::string> config;
  std::string password;           // to sign in with; set it in `config` (requirepass) too
  std::optional<TlsOptions> tls;  // how to connect when `config` turns TLS on; the port is then the TLS port
  bool wait_until_ready = true;   // false: return as soon as the process runs (to see it loading)
  Duration start_timeout = std::chrono::seconds(150);
};

// One thread at a time.
class RedisServer {
 public:
  static std::unique_ptr<RedisServer> start(std::vector<std::string> config = {});
  static std::unique_ptr<RedisServer> start(RedisServerOptions options);
  ~RedisServer();

  std::uint16_t port() const { return port_; }
  std::string port_text() const { return std::to_string(port_); }
  const std::string& directory() const { return directory_.path(); }
  pid_t pid() const;
  RedisUrl url() const;
  // A new connection.
  std::unique_ptr<Client> client() const;
  // One command over a connection that is kept; throws on an error reply.
  Reply command(std::initializer_list<std::string_view> words);
  Reply command(const std::vector<std::string>& words);
  Info info(std::string_view section = {});
  // What the server wrote to its log.
  std::string log() const;

  void kill9();                               // SIGKILL, and waits for the end
  std::optional<int> stop(Duration timeout);  // SIGTERM; the exit status, or nothing when it still runs
  void start_again();                         // on the same port and directory, after kill9() or stop()
  void pause();                               // SIGSTOP
  void resume();                              // SIGCONT
  void wait_until_ready();
  // A replica whose link is up; throws after `timeout`.
  void wait_for_link_up(Duration timeout = std::chrono::seconds(150));

 private:
  explicit RedisServer(RedisServerOptions options);
  void launch();
  bool answers();

  RedisServerOptions options_;
  TemporaryDirectory directory_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Subprocess> process_;
  std::unique_ptr<Client> kept_client_;
};

// A loopback TCP port that belongs to this process until it ends, also while nothing listens on it: no other test is
// given it, and no client's own end of a connection gets it.
std::uint16_t free_loopback_port();

}  // namespace anclora::redis
