// A synchronous client of one Redis over one connection.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/socket.h"
#include "redis/client/info.h"
#include "redis/client/redis_url.h"
#include "redis/resp/reply.h"

namespace anclora::redis {

struct ClientOptions {
  Duration connect_timeout = std::chrono::seconds(5);  // also for signing in
  Duration command_timeout = std::chrono::seconds(10);
  ReplyLimits limits = {};
};

// One thread at a time, except interrupt(). After an error of the connection (cut, no answer in time, interrupted, not
// Redis's protocol) the client is broken and answers kUnavailable: connect again. An error reply breaks nothing.
class Client {
 public:
  // Connects, signs in (AUTH), checks that a Redis answers, and selects the URL's database. Errors name the URL without
  // its password. kUnavailable: cannot connect; kUnauthenticated: password wrong, missing or not wanted;
  // kPermissionDenied: protected mode; kFailedPrecondition: something else than a Redis answers; kDeadlineExceeded.
  // A Redis that is loading, or a replica that lost its primary, is connected to: its INFO answers.
  static Result<std::unique_ptr<Client>> connect(const RedisUrl& url, Dialer& dialer, Clock& clock,
                                                 ClientOptions options = {});

  // The reply; an error reply becomes an Error (see error_of_reply) that names the command's first word.
  Result<Reply> command(std::initializer_list<std::string_view> words, std::optional<Duration> timeout = {});
  Result<Reply> command(std::span<const std::string> words, std::optional<Duration> timeout = {});
  // The replies in order; error replies stay among them. Sent and read in batches, so memory holds the replies.
  Result<std::vector<Reply>> pipeline(std::span<const std::vector<std::string>> commands,
                                      std::optional<Duration> timeout = {});
  // INFO, of one section or of the default ones.
  Result<Info> info(std::string_view section = {});
  // CONFIG GET of one parameter; kNotFound when the server does not know it.
  Result<std::string> config_get(std::string_view parameter);

  // Any thread: wakes a command that waits, with kCancelled; breaks the client.
  void interrupt() { connection_->interrupt(); }
  const RedisUrl& url() const { return url_; }
  bool broken() const { return broken_; }
  // Our own address as the server's machine could reach it, and the server's.
  Endpoint local() const { return connection_->local(); }
  Endpoint peer() const { return connection_->peer(); }

 private:
  Client(RedisUrl url, std::unique_ptr<Connection> connection, Clock& clock, ClientOptions options);
  Status sign_in();
  Result<Reply> exchange(ByteView request, Duration timeout);
  Result<Reply> read_reply(MonoTime deadline);
  Status send(ByteView request, MonoTime deadline);
  Error broken_by(const Error& error);

  RedisUrl url_;
  std::unique_ptr<Connection> connection_;
  Clock& clock_;
  ClientOptions options_;
  Bytes unread_;
  ReplyParser parser_;
  bool greeted_ = false;  // a well-formed reply has been seen
  bool broken_ = false;
};

}  // namespace anclora::redis
