// Later bases from the source itself: a second replication link that asks for a full synchronisation, takes the RDB and
// leaves. The source forks for it; the first link goes on undisturbed, and nothing is ever acknowledged on this one.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "base/file_system.h"
#include "base/random.h"
#include "base/socket.h"
#include "protect/capture/base_maker.h"
#include "protect/capture/capture_state.h"
#include "redis/client/redis_url.h"
#include "redis/replication/replication_link.h"

namespace anclora::protect {

// A base counts only where the archive proves its place: the source answered with the replication id that the newest
// timeline carries, everything up to the base's offset is protected by then, and that offset is a boundary of the
// archived stream outside a MULTI. Whatever else: no base, and the parts that were put count for nothing.
class SourceBaseMaker final : public BaseMaker {
 public:
  struct Context {
    redis::RedisUrl url;
    Dialer& dialer;
    storage::AppendStore& store;
    const storage::Repository& repository;
    FileSystem& files;
    Clock& clock;
    Random& random;
    CaptureState& state;
    std::string spool_folder;  // received there first, so that a slow store does not keep the source's child waiting
    bool mask_secrets = true;
  };
  explicit SourceBaseMaker(Context context) : context_(std::move(context)) {}

  // One thread. kUnavailable: not now (the link was cut, the history changed meanwhile, the store is away).
  Result<storage::BaseInfo> make_base(const std::string& source, storage::Position at,
                                      const std::optional<redis::Product>& server) override;
  std::string_view who() const override { return "the source"; }
  void cancel() override;
  void allow() override { cancelled_ = false; }

 private:
  class Receiver;
  struct Origin;  // what is known of the source before the link
  Result<Origin> look(const std::string& source);
  Status receive(const Origin& origin, Receiver& receiver);
  Status put_parts(storage::BaseEncoder& encoder);
  Status wait_until_protected(storage::Position base);
  Result<std::uint32_t> prove(const std::string& source, storage::Position base, const std::string& replid);
  Status put_side_data(const std::string& source, const storage::BaseInfo& base, const std::string& json);
  bool first_link_receives_a_base() const;
  Status pause(Duration duration);

  Context context_;
  std::atomic<bool> cancelled_{false};
  std::mutex link_mutex_;
  std::shared_ptr<redis::ReplicationLink> link_;  // guarded
};

}  // namespace anclora::protect
