#include "app/server/bounded_http_server.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <functional>
#include <optional>

namespace anclora::app {
namespace {

constexpr Duration kLookEvery = std::chrono::milliseconds(100);
constexpr Duration kLetGoWithin = std::chrono::seconds(1);
constexpr std::size_t kBuffer = 4096;
constexpr int kBacklog = 1024;

constexpr std::size_t kLargestHead = 256 << 10;  // all header lines together

thread_local MonoTime accepted_at;        // of the connection that this thread serves
thread_local bool sent_too_much = false;  // by its client

// Also the time that a connection waits for a thread is its own.
class CountedQueue final : public httplib::TaskQueue {
 public:
  CountedQueue(std::size_t threads, std::atomic<std::size_t>& waiting) : pool_{threads}, waiting_(waiting) {}
  void enqueue(std::function<void()> serve) override {
    ++waiting_;
    pool_.enqueue([this, serve = std::move(serve), at = system_clock().mono_now()] {
      --waiting_;
      accepted_at = at;
      serve();
    });
  }
  void shutdown() override { pool_.shutdown(); }

 private:
  httplib::ThreadPool pool_;
  std::atomic<std::size_t>& waiting_;
};

bool is_ready(int socket, short events, Duration timeout) {
  pollfd watched{socket, events, 0};
  return ::poll(&watched, 1, static_cast<int>(timeout / std::chrono::milliseconds(1))) > 0;
}

class TimedStream final : public httplib::Stream {
 public:
  using Limit = std::function<Duration()>;  // as things are at this moment
  TimedStream(int socket, MonoTime begun, std::size_t most, Limit to_read, Limit to_write)
      : socket_{socket}, begun_{begun}, left_{most}, to_read_{std::move(to_read)}, to_write_{std::move(to_write)} {
    sent_too_much = false;
  }

  bool is_readable() const override { return begin_ < end_ || wait(POLLIN, begun_, to_read_); }
  bool is_writable() const override { return wait(POLLOUT, writing_since(), to_write_); }

  ssize_t read(char* out, std::size_t size) override {
    if (begin_ == end_ && !fill()) return -1;
    const std::size_t count = std::min(size, end_ - begin_);
    std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), count, out);
    begin_ += count;
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* bytes, std::size_t size) override {
    return is_writable() ? ::send(socket_, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT) : -1;
  }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return socket_; }

 private:
  bool fill() {
    // What waited long for a thread may be here whole: the first bytes are taken however late it is.
    const bool late = received_ && system_clock().mono_now() >= begun_ + to_read_();
    sent_too_much = left_ == 0;
    if (sent_too_much || late || !wait(POLLIN, begun_, to_read_)) return false;
    const ssize_t count = ::recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    begin_ = 0;
    end_ = count > 0 ? static_cast<std::size_t>(count) : 0;
    left_ -= std::min(left_, end_);
    received_ = received_ || end_ > 0;
    return end_ > 0;
  }
  MonoTime writing_since() const {
    if (!writing_since_) writing_since_ = system_clock().mono_now();
    return *writing_since_;
  }
  bool wait(short events, MonoTime since, const Limit& limit) const {
    if (is_ready(socket_, events, Duration::zero())) return true;
    for (MonoTime now = system_clock().mono_now(); now < since + limit(); now = system_clock().mono_now())
      if (is_ready(socket_, events,
                   std::clamp<Duration>(since + limit() - now, std::chrono::milliseconds(1), kLookEvery)))
        return true;
    return false;
  }

  const int socket_;
  const MonoTime begun_;
  std::size_t left_;  // how much more is taken; the library bounds no body that comes in chunks
  const Limit to_read_, to_write_;
  mutable std::optional<MonoTime> writing_since_;
  std::array<char, kBuffer> buffer_{};
  std::size_t begin_ = 0, end_ = 0;
  bool received_ = false;
};

// What the client still sends would make the system throw our answer away.
void let_go(int socket) {
  ::shutdown(socket, SHUT_WR);
  std::array<char, kBuffer> unread{};
  const MonoTime end = system_clock().mono_now() + kLetGoWithin;
  while (system_clock().mono_now() < end && is_ready(socket, POLLIN, kLookEvery))
    if (::recv(socket, unread.data(), unread.size(), MSG_DONTWAIT) <= 0) break;
  ::close(socket);
}

// What is wrong with the announced body, as a status; nothing: it may be read. The library would wait for it first, or
// unpack it, however large it becomes.
std::optional<int> refusal_of(const httplib::Request& request, std::size_t largest_body) {
  if (const std::string packed = request.get_header_value("Content-Encoding"); !packed.empty() && packed != "identity")
    return 415;
  if (!request.has_header("Content-Length")) {
    const bool bare = request.method == "GET" || request.method == "HEAD" || request.method == "OPTIONS";
    return bare || request.has_header("Transfer-Encoding") ? std::nullopt : std::optional(411);
  }
  const std::string length = request.get_header_value("Content-Length");
  std::size_t bytes = 0;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bytes);
  if (error == std::errc::invalid_argument || end != length.data() + length.size()) return 400;
  return error != std::errc() || bytes > largest_body ? std::optional(413) : std::nullopt;
}

}  // namespace

BoundedHttpServer::BoundedHttpServer(HttpBounds bounds) : bounds_{bounds} {
  new_task_queue = [this] { return new CountedQueue(bounds_.threads, waiting_); };  // the library takes ownership
  set_payload_max_length(bounds_.largest_body);
  set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
    const auto refused = refusal_of(request, bounds_.largest_body);
    if (refused) response.status = *refused;
    return refused ? HandlerResponse::Handled : HandlerResponse::Unhandled;
  });
}

int BoundedHttpServer::reason_of(int status) { return sent_too_much ? 413 : status; }

BoundedHttpServer::~BoundedHttpServer() {
  stopping_ = true;
  stop();
  if (thread_.joinable()) thread_.join();
}

Status BoundedHttpServer::serve(const Endpoint& address, const std::string& option) {
  const int port = address.port == 0                          ? bind_to_any_port(address.host)
                   : bind_to_port(address.host, address.port) ? address.port
                                                              : -1;
  if (port < 0)
    return Error(ErrorKind::kAlreadyExists, "cannot listen on " + address.to_string(),
                 "is the port taken? choose another with " + option);
  // The library's own five would make a crowd's next connection wait for a packet to be sent again.
  ::listen(svr_sock_, kBacklog);
  port_ = static_cast<std::uint16_t>(port);
  thread_ = std::thread([this] {
    listen_after_bind();
    ended_ = true;
  });
  // The library's stop() does nothing to a loop that has not begun: the destructor would wait for it for ever.
  while (!is_running() && !ended_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return {};
}

bool BoundedHttpServer::process_and_close_socket(socket_t socket) {
  const auto to_write = [this] { return waiting_ > 0 ? bounds_.while_others_wait : bounds_.whole; };
  const auto to_read = [this, to_write] { return stopping_ ? Duration::zero() : to_write(); };
  TimedStream stream(socket, accepted_at, bounds_.largest_body + kLargestHead, to_read, to_write);
  bool closed = false;
  const bool answered = process_request(stream, true, closed, [](httplib::Request&) {});
  let_go(socket);
  return answered;
}

}  // namespace anclora::app
