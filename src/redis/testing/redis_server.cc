#include "redis/testing/redis_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <iterator>
#include <mutex>
#include <random>
#include <stdexcept>

#include "base/random.h"
#include "base/unique_fd.h"

namespace anclora::redis {
namespace {

constexpr Duration kPoll = std::chrono::milliseconds(5);

std::string program() {
  const char* named = std::getenv("ANCLORA_REDIS_SERVER");
  return named != nullptr && *named != '\0' ? named : "redis-server";
}

// Below the ports that the system gives to clients, and below those that local sites and S3 gateways look for.
constexpr std::uint16_t kFirstPort = 5000;
constexpr std::uint16_t kLastPort = 10900;

// A name that only one process on this machine can hold, as tests/e2e/harness.py does; invalid when it is taken.
UniqueFd held_name(std::uint16_t port) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const std::string name = "anclora-test-port-" + std::to_string(port);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(name.begin(), name.end(), address.sun_path + 1);  // behind a zero: it lies in no folder
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (fd.is_open() && ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) fd.reset();
  return fd;
}

bool can_be_bound(std::uint16_t port) {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return fd.is_open() && ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

template <class T>
T value_or_throw(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().to_string());
  return std::move(*result);
}

}  // namespace

std::uint16_t free_loopback_port() {
  constexpr int kMostHeld = 2000;
  static std::mutex mutex;
  static std::deque<UniqueFd> held;  // what keeps this process's ports from others; the oldest are let go
  static SeededRandom random(std::random_device{}());
  const std::lock_guard lock(mutex);
  for (int attempt = 0; attempt < 10'000; ++attempt) {
    const auto port = static_cast<std::uint16_t>(kFirstPort + random.below(kLastPort - kFirstPort + 1));
    UniqueFd holder = held_name(port);
    if (!holder.is_open() || !can_be_bound(port)) continue;
    held.push_back(std::move(holder));
    if (held.size() > kMostHeld) held.pop_front();
    return port;
  }
  throw std::runtime_error("no free loopback port");
}

std::unique_ptr<RedisServer> RedisServer::start(std::vector<std::string> config) {
  RedisServerOptions options;
  options.config = std::move(config);
  return start(std::move(options));
}

std::unique_ptr<RedisServer> RedisServer::start(RedisServerOptions options) {
  constexpr int kAttempts = 5;  // another process may take the port in between
  for (int attempt = 1;; ++attempt) {
    std::unique_ptr<RedisServer> server(new RedisServer(options));
    server->launch();
    if (!server->process_->wait(std::chrono::milliseconds(20))) {
      if (options.wait_until_ready) server->wait_until_ready();
      return server;
    }
    if (attempt == kAttempts || server->log().find("Address already in use") == std::string::npos) {
      throw std::runtime_error("redis-server ended at once: " + server->log());
    }
  }
}

RedisServer::RedisServer(RedisServerOptions options) : options_(std::move(options)), port_(free_loopback_port()) {}

RedisServer::~RedisServer() { kept_client_.reset(); }

void RedisServer::launch() {
  const std::string file = directory_ / "redis.conf";
  std::ofstream config(file);
  config << "bind 127.0.0.1\ndir " << directory_.path() << "\nsave \"\"\nappendonly no\ndaemonize no\n"
         << "repl-diskless-sync-delay 0\nenable-debug-command yes\nlogfile " << (directory_ / "redis.log") << "\n";
  config << (options_.tls ? "port 0\ntls-port " : "port ") << port_ << "\n";
  for (const std::string& line : options_.config) config << line << "\n";
  config.close();
  SubprocessOptions start;
  start.argv = {program(), file};
  start.working_directory = directory_.path();
  start.output_file = directory_ / "output.log";
  process_ = value_or_throw(Subprocess::start(start));
}

pid_t RedisServer::pid() const { return process_->pid(); }

RedisUrl RedisServer::url() const {
  RedisUrl url;
  url.endpoint = {"127.0.0.1", port_};
  url.password = Secret(options_.password);
  url.tls = options_.tls;
  return url;
}

std::unique_ptr<Client> RedisServer::client() const {
  return value_or_throw(Client::connect(url(), system_dialer(), system_clock()));
}

Reply RedisServer::command(std::initializer_list<std::string_view> words) {
  return command(std::vector<std::string>(words.begin(), words.end()));
}

Reply RedisServer::command(const std::vector<std::string>& words) {
  if (!kept_client_ || kept_client_->broken()) kept_client_ = client();
  return value_or_throw(kept_client_->command(std::span<const std::string>(words), std::chrono::seconds(60)));
}

Info RedisServer::info(std::string_view section) {
  return Info::parse((section.empty() ? command({"INFO"}) : command({"INFO", section})).text);
}

std::string RedisServer::log() const {
  std::string text;
  for (const char* name : {"redis.log", "output.log"}) {
    std::ifstream file(directory_ / name);
    text.append(std::istreambuf_iterator<char>(file), {});
  }
  return text;
}

void RedisServer::kill9() {
  kept_client_.reset();
  process_->signal(SIGKILL);
  process_->wait(std::chrono::seconds(30));
}

std::optional<int> RedisServer::stop(Duration timeout) {
  kept_client_.reset();
  process_->signal(SIGTERM);
  return process_->wait(timeout);
}

void RedisServer::start_again() {
  launch();
  wait_until_ready();
}

void RedisServer::pause() { process_->signal(SIGSTOP); }
void RedisServer::resume() { process_->signal(SIGCONT); }

bool RedisServer::answers() {
  const auto connected = Client::connect(url(), system_dialer(), system_clock());
  if (!connected) return false;
  const auto info = (*connected)->info("persistence");
  return info && !info->loading();
}

void RedisServer::wait_until_ready() {
  const MonoTime deadline = system_clock().mono_now() + options_.start_timeout;
  while (!answers()) {
    if (process_->wait(Duration::zero())) throw std::runtime_error("redis-server ended: " + log());
    if (system_clock().mono_now() > deadline) throw std::runtime_error("redis-server does not answer: " + log());
    system_clock().sleep_for(kPoll);
  }
}

void RedisServer::wait_for_link_up(Duration timeout) {
  const MonoTime deadline = system_clock().mono_now() + timeout;
  while (!info("replication").link_up()) {
    if (system_clock().mono_now() > deadline) throw std::runtime_error("the replica's link stays down: " + log());
    system_clock().sleep_for(kPoll);
  }
}

}  // namespace anclora::redis
