#include "redis/replication/feeder.h"

#include <algorithm>
#include <list>
#include <thread>

#include "redis/replication/feeder_link.h"
#include "redis/replication/feeder_state.h"

namespace anclora::redis {
namespace {

constexpr Duration kAcceptTimeout = std::chrono::seconds(5);
constexpr std::size_t kReplicationIdBytes = 20;

// "::ffff:10.0.0.1" is 10.0.0.1 on a socket that speaks both.
std::string_view plain_address(std::string_view address) {
  constexpr std::string_view kMapped = "::ffff:";
  return address.starts_with(kMapped) ? address.substr(kMapped.size()) : address;
}

bool allowed(const std::vector<std::string>& list, const Endpoint& peer) {
  if (list.empty() || peer.host.empty() || peer.host.starts_with('/')) return true;
  return std::any_of(list.begin(), list.end(),
                     [&](const std::string& one) { return plain_address(one) == plain_address(peer.host); });
}

}  // namespace

std::string_view to_string(FeederProgress::Stage stage) {
  switch (stage) {
    case FeederProgress::Stage::kWaiting:
      return "waiting for the target";
    case FeederProgress::Stage::kBase:
      return "sending the base";
    case FeederProgress::Stage::kLoading:
      return "target loads the base";
    case FeederProgress::Stage::kStream:
      return "sending the stream";
    case FeederProgress::Stage::kAllSent:
      return "all sent";
  }
  return "unknown";
}

struct Feeder::Threads {
  struct Served {
    std::unique_ptr<FeederLink> link;
    std::atomic<bool> ended = false;
    std::thread thread;
  };
  std::thread accepting;
  std::list<Served> served;  // touched by the accepting thread alone

  void join_ended() {
    served.remove_if([](Served& one) {
      if (!one.ended) return false;
      one.thread.join();
      return true;
    });
  }
};

std::unique_ptr<Feeder> Feeder::start(FeedSource& source, std::unique_ptr<Listener> listener, Clock& clock,
                                      Random& random, FeederOptions options) {
  FeederIdentity identity{.replication_id = to_hex(random.bytes(kReplicationIdBytes)),
                          .base_offset = source.base_offset(),
                          .user = options.user,
                          .password = options.password};
  std::unique_ptr<Feeder> feeder(new Feeder());
  feeder->state_ = std::make_unique<FeederState>(source, clock, std::move(options), std::move(identity));
  feeder->listener_ = std::move(listener);
  feeder->threads_ = std::make_unique<Threads>();
  feeder->threads_->accepting = std::thread([raw = feeder.get()] { raw->accept_links(); });
  return feeder;
}

Feeder::~Feeder() {
  stop();
  threads_->accepting.join();
}

void Feeder::accept_links() {
  while (!state_->stopping()) {
    threads_->join_ended();
    Result<std::unique_ptr<Connection>> connection = listener_->accept(kAcceptTimeout);
    if (!connection) {
      const ErrorKind kind = connection.error().kind();
      if (kind == ErrorKind::kDeadlineExceeded || kind == ErrorKind::kCancelled) continue;
      state_->note_link_error(connection.error());
      state_->clock.sleep_for(std::chrono::milliseconds(100));  // out of descriptors, say: not a busy loop
      continue;
    }
    const Endpoint peer = (*connection)->peer();
    if (!allowed(state_->options.allowed_peers, peer)) {
      state_->refuse_peer(peer.host);
      continue;
    }
    auto link = std::make_unique<FeederLink>(*state_, std::move(*connection));
    if (!state_->add(*link)) continue;
    Threads::Served& one = threads_->served.emplace_back();
    one.link = std::move(link);
    one.thread = std::thread([this, &one] {
      one.link->run();
      state_->remove(*one.link);
      one.link.reset();
      one.ended = true;
    });
  }
  for (Threads::Served& one : threads_->served) one.thread.join();
}

void Feeder::stop() {
  state_->stop();
  listener_->interrupt();
}

void Feeder::go_on() { state_->go_on(); }

const std::string& Feeder::replication_id() const { return state_->identity.replication_id; }
Endpoint Feeder::local() const { return listener_->local(); }
FeederProgress Feeder::progress() const { return state_->progress(); }
std::optional<Error> Feeder::failure() const { return state_->failure(); }

Status Feeder::wait_until_acknowledged(Offset offset, Duration timeout) {
  return state_->wait_until_acknowledged(offset, timeout, local().to_string());
}

Status Feeder::wait_until_done(Duration timeout) {
  return state_->wait_until_acknowledged(std::nullopt, timeout, local().to_string());
}

}  // namespace anclora::redis
