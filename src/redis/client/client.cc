#include "redis/client/client.h"

#include <fmt/format.h>

#include <algorithm>

#include "redis/resp/reply_error.h"

namespace anclora::redis {
namespace {

constexpr std::size_t kReadBytes = 64 * kKiB;
constexpr std::size_t kBatchBytes = 256 * kKiB;
constexpr std::size_t kBatchCommands = 1000;

}  // namespace

Client::Client(RedisUrl url, std::unique_ptr<Connection> connection, Clock& clock, ClientOptions options)
    : url_(std::move(url)),
      connection_(std::move(connection)),
      clock_(clock),
      options_(options),
      parser_(options.limits) {}

Result<std::unique_ptr<Client>> Client::connect(const RedisUrl& url, Dialer& dialer, Clock& clock,
                                                ClientOptions options) {
  auto connection = dialer.dial(url.endpoint, url.tls_or_null(), options.connect_timeout);
  if (!connection) return connection.error().with_context(url.to_string());
  std::unique_ptr<Client> client(new Client(url, std::move(*connection), clock, options));
  if (const Status status = client->sign_in(); !status) return status.error();
  return client;
}

Status Client::sign_in() {
  const std::string where = url_.to_string();
  if (!url_.password.empty()) {
    std::vector<std::string_view> words = {"AUTH"};
    if (!url_.user.empty()) words.push_back(url_.user);
    words.push_back(url_.password.reveal());
    ASSIGN_OR_RETURN(const Reply reply, exchange(build_command(words), options_.connect_timeout));
    if (reply.is_error()) return error_of_reply(reply.text, "AUTH").with_context(where);
  } else if (!url_.user.empty()) {
    return Error(ErrorKind::kUnauthenticated, where + ": a user without a password",
                 "give the password in the URL or from a password file");
  }
  ASSIGN_OR_RETURN(const Reply pong, exchange(build_command({"PING"}), options_.connect_timeout));
  if (pong.is_error()) {
    const std::string_view code = pong.error_code();
    const bool usable = code == "NOPERM" || code == "LOADING" || code == "MASTERDOWN" || code == "MISCONF";
    if (!usable) return error_of_reply(pong.text, "PING").with_context(where);
  }
  if (url_.database != 0) {
    ASSIGN_OR_RETURN(const Reply reply,
                     exchange(build_command({"SELECT", std::to_string(url_.database)}), options_.connect_timeout));
    if (reply.is_error()) return error_of_reply(reply.text, "SELECT").with_context(where);
  }
  return {};
}

Result<Reply> Client::command(std::initializer_list<std::string_view> words, std::optional<Duration> timeout) {
  ASSIGN_OR_RETURN(Reply reply, exchange(build_command(words), timeout.value_or(options_.command_timeout)));
  if (reply.is_error()) return error_of_reply(reply.text, *words.begin()).with_context(url_.to_string());
  return reply;
}

Result<Reply> Client::command(std::span<const std::string> words, std::optional<Duration> timeout) {
  ASSIGN_OR_RETURN(Reply reply, exchange(build_command(words), timeout.value_or(options_.command_timeout)));
  if (reply.is_error()) return error_of_reply(reply.text, words.front()).with_context(url_.to_string());
  return reply;
}

Result<std::vector<Reply>> Client::pipeline(std::span<const std::vector<std::string>> commands,
                                            std::optional<Duration> timeout) {
  const MonoTime deadline = clock_.mono_now() + timeout.value_or(options_.command_timeout);
  std::vector<Reply> replies;
  replies.reserve(commands.size());
  while (replies.size() < commands.size()) {
    Bytes batch;
    std::size_t sent = 0;
    while (replies.size() + sent < commands.size() && batch.size() < kBatchBytes && sent < kBatchCommands) {
      batch += build_command(commands[replies.size() + sent++]);
    }
    RETURN_IF_ERROR(send(batch, deadline));
    for (; sent > 0; --sent) {
      ASSIGN_OR_RETURN(Reply reply, read_reply(deadline));
      replies.push_back(std::move(reply));
    }
  }
  return replies;
}

Result<Info> Client::info(std::string_view section) {
  ASSIGN_OR_RETURN(const Reply reply, section.empty() ? command({"INFO"}) : command({"INFO", section}));
  return Info::parse(reply.text);
}

Result<std::string> Client::config_get(std::string_view parameter) {
  ASSIGN_OR_RETURN(const Reply reply, command({"CONFIG", "GET", parameter}));
  const Reply* value = reply.field(parameter);
  if (value == nullptr) {
    return Error(ErrorKind::kNotFound, fmt::format("{} has no setting {}", url_.to_string(), parameter));
  }
  return value->text;
}

Result<Reply> Client::exchange(ByteView request, Duration timeout) {
  const MonoTime deadline = clock_.mono_now() + timeout;
  RETURN_IF_ERROR(send(request, deadline));
  return read_reply(deadline);
}

Status Client::send(ByteView request, MonoTime deadline) {
  if (broken_) {
    return Error(ErrorKind::kUnavailable, url_.to_string() + ": the connection is broken", "connect again");
  }
  const Status status =
      connection_->write_all(request, std::max<Duration>(deadline - clock_.mono_now(), Duration::zero()));
  if (!status && (greeted_ || status.error().kind() != ErrorKind::kUnavailable)) return broken_by(status.error());
  return {};  // a server that hung up at once may have said why: read that first
}

Result<Reply> Client::read_reply(MonoTime deadline) {
  for (;;) {
    if (!unread_.empty()) {
      const auto taken = parser_.feed(unread_);
      if (!taken) {
        const bool foreign = !greeted_ && taken.error().kind() == ErrorKind::kDataLoss;
        return broken_by(foreign ? error_of_foreign_bytes(unread_) : taken.error());
      }
      unread_.erase(0, *taken);
      if (parser_.ready()) {
        greeted_ = true;
        return parser_.take();
      }
    }
    const Duration left = deadline - clock_.mono_now();
    if (left <= Duration::zero()) {
      return broken_by(Error(ErrorKind::kDeadlineExceeded, "no answer in time",
                             greeted_ ? "try again" : "check that a Redis listens there and is not blocked"));
    }
    const auto count = connection_->read_some(unread_, kReadBytes, left);
    if (count && *count > 0) continue;
    const Error error = count ? Error(ErrorKind::kUnavailable, "the connection was closed") : count.error();
    const bool may_want_tls = !greeted_ && !url_.tls && error.kind() == ErrorKind::kUnavailable;
    return broken_by(may_want_tls ? error.with_hint("nothing was answered: if this port expects TLS, use rediss://")
                                  : error);
  }
}

Error Client::broken_by(const Error& error) {
  broken_ = true;
  return error.with_context(url_.to_string());
}

}  // namespace anclora::redis
