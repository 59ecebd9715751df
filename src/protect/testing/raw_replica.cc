#include "protect/testing/raw_replica.h"

#include <stdexcept>

namespace anclora::protect {
namespace {

redis::FollowerOptions options_for(redis::RedisServer& server) {
  redis::FollowerOptions options;
  options.announced_version = server.info().announced_version();
  return options;
}

}  // namespace

RawReplica::RawReplica(redis::RedisServer& server) : server_(server), follower_(options_for(server)) {
  auto link = system_dialer().dial(server.url().endpoint, nullptr, std::chrono::seconds(60));
  if (!link.has_value()) throw std::runtime_error(link.error().to_string());
  link_ = std::move(*link);
  redis::FollowerActions actions;
  follower_.start(system_clock().mono_now(), actions);
  for (const auto& action : actions)
    if (const auto* send = std::get_if<redis::SendBytes>(&action))
      ignore_result(link_->write_all(send->bytes, std::chrono::seconds(60)));  // the next read tells
  while (!complete_) step();
}

void RawReplica::step() {
  Bytes buffer;
  redis::FollowerActions actions;
  const auto size = link_->read_some(buffer, kMiB, std::chrono::milliseconds(200));
  const MonoTime now = system_clock().mono_now();
  if (size.has_value() && *size == 0) throw std::runtime_error("the source closed the link");
  if (size.has_value()) follower_.receive(buffer, now, actions);
  if (now >= follower_.next_tick()) follower_.tick(now, actions);
  for (const auto& action : actions) {
    if (const auto* send = std::get_if<redis::SendBytes>(&action)) {
      const Status sent = link_->write_all(send->bytes, std::chrono::seconds(60));
      if (!sent.has_value()) throw std::runtime_error(sent.error().to_string());
    }
    if (const auto* started = std::get_if<redis::FullResyncStarted>(&action)) base_offset_ = started->offset;
    if (const auto* base = std::get_if<redis::BaseBytes>(&action)) rdb_.append(base->bytes);
    if (std::holds_alternative<redis::BaseComplete>(action)) complete_ = true;
    if (const auto* bytes = std::get_if<redis::StreamBytes>(&action)) stream_.append(bytes->bytes);
    if (const auto* refused = std::get_if<redis::Refused>(&action))
      throw std::runtime_error(refused->error.to_string());
  }
}

void RawReplica::catch_up() {
  const auto target = server_.info("replication").number("master_repl_offset");
  if (!target) throw std::runtime_error("the source tells no offset");
  const MonoTime deadline = system_clock().mono_now() + std::chrono::seconds(60);
  while (base_offset_ + stream_.size() < redis::Offset{static_cast<std::uint64_t>(*target)}) {
    if (system_clock().mono_now() > deadline) throw std::runtime_error("the stream did not come");
    step();
  }
}

}  // namespace anclora::protect
