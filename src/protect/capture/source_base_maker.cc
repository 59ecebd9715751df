#include "protect/capture/source_base_maker.h"

#include <fmt/format.h>

#include <utility>

#include "protect/capture/side_data.h"
#include "protect/capture/stream_recovery.h"
#include "redis/client/client.h"
#include "storage/repository/base_writer.h"

namespace anclora::protect {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kConnectTimeout = seconds(5);
constexpr Duration kPoll = milliseconds(50);
constexpr Duration kStorePause = seconds(2);
constexpr Duration kStorePatience = minutes(10);
constexpr Duration kProtectPatience = minutes(10);

Error cancelled_error() { return Error(ErrorKind::kCancelled, "the base was given up"); }

Error another_history() {
  return Error(ErrorKind::kUnavailable, "the source's history is not the one that is archived now",
               "nothing to do: the next attempt starts from the history that is in force then");
}

}  // namespace

struct SourceBaseMaker::Origin {
  storage::TimelineId timeline;
  std::string replid;
  redis::Offset newest_base;
  std::string announced_version, side_json;
};

// Spools what comes; ends the link by kCancelled when it has the base.
class SourceBaseMaker::Receiver final : public redis::ReplicaSink {
 public:
  Receiver(SourceBaseMaker& maker, const std::string& source, const Origin& origin)
      : maker_(maker), source_(source), origin_(origin) {}

  Status on_base_started(const redis::FullResyncStarted& started) override {
    if (started.replid != origin_.replid) return another_history();
    if (started.offset <= origin_.newest_base)
      return Error(ErrorKind::kAlreadyExists, fmt::format("a base at {} is there already", started.offset.value));
    offset_ = started.offset;
    time_ = maker_.context_.clock.wall_now();
    ASSIGN_OR_RETURN(const std::uint32_t attempt,
                     storage::free_base_attempt(maker_.context_.store, source_, origin_.timeline, offset_));
    encoder_.emplace(maker_.context_.repository, maker_.context_.files, maker_.context_.spool_folder, source_,
                     origin_.timeline, offset_, attempt, maker_.context_.random);
    return {};
  }
  Status on_base_bytes(ByteView bytes) override {
    if (maker_.cancelled_) return cancelled_error();
    if (maker_.first_link_receives_a_base())
      return Error(ErrorKind::kUnavailable, "capture's own link began a full synchronisation meanwhile");
    return encoder_->write(bytes);
  }
  Status on_base_complete() override {
    complete_ = true;
    return Error(ErrorKind::kCancelled, "the base is whole");
  }
  Status on_continue(const redis::ContinueAccepted&) override { return another_history(); }
  Status on_stream_bytes(ByteView, redis::Offset) override { return {}; }

  bool complete() const { return complete_; }
  storage::BaseEncoder& encoder() { return *encoder_; }
  storage::Position position() const { return {origin_.timeline, offset_}; }
  WallTime time() const { return time_; }

 private:
  SourceBaseMaker& maker_;
  const std::string& source_;
  const Origin& origin_;
  redis::Offset offset_;
  WallTime time_;
  std::optional<storage::BaseEncoder> encoder_;
  bool complete_ = false;
};

namespace {

// What an attempt leaves in the spool is of no use to anyone.
class SpoolCleaner {
 public:
  SpoolCleaner(FileSystem& files, const std::string& folder) : files_(files), folder_(folder) {}
  SpoolCleaner(const SpoolCleaner&) = delete;
  SpoolCleaner& operator=(const SpoolCleaner&) = delete;
  // The next start clears what cannot be removed now.
  ~SpoolCleaner() {
    const auto left = files_.list(folder_);
    if (!left) return;
    for (const FileInfo& file : *left) ignore_result(files_.remove(folder_ + "/" + file.name));
    ignore_result(files_.remove_directory(folder_));
  }

 private:
  FileSystem& files_;
  const std::string& folder_;
};

}  // namespace

Result<storage::BaseInfo> SourceBaseMaker::make_base(const std::string& source, storage::Position,
                                                     const std::optional<redis::Product>&) {
  const SpoolCleaner cleaner(context_.files, context_.spool_folder);
  RETURN_IF_ERROR(context_.files.create_directories(context_.spool_folder));
  ASSIGN_OR_RETURN(const Origin origin, look(source));
  Receiver receiver(*this, source, origin);
  RETURN_IF_ERROR(receive(origin, receiver));
  const storage::Position position = receiver.position();
  RETURN_IF_ERROR(put_parts(receiver.encoder()));
  RETURN_IF_ERROR(wait_until_protected(position));
  ASSIGN_OR_RETURN(const std::uint32_t database, prove(source, position, origin.replid));
  ASSIGN_OR_RETURN(storage::BaseInfo base, receiver.encoder().finish(receiver.time(), "source", database));
  RETURN_IF_ERROR(put_parts(receiver.encoder()));
  if (const Status side = put_side_data(source, base, origin.side_json); !side) context_.state.failed(side.error());
  storage::CheckpointDelta delta;
  delta.bases.push_back(base);
  ASSIGN_OR_RETURN(const std::uint64_t ordinal, storage::write_checkpoint(context_.store, context_.repository, source,
                                                                          delta, context_.clock, context_.random));
  static_cast<void>(ordinal);
  return base;
}

void SourceBaseMaker::cancel() {
  cancelled_ = true;
  const std::lock_guard lock(link_mutex_);
  if (link_) link_->stop();
}

Result<SourceBaseMaker::Origin> SourceBaseMaker::look(const std::string& source) {
  if (cancelled_) return cancelled_error();
  ASSIGN_OR_RETURN(const auto state, storage::load_source_state(context_.store, context_.repository, source));
  if (state.timelines.empty() || state.timelines.back().closed) return another_history();
  const storage::TimelineState& timeline = state.timelines.back();
  Origin origin{timeline.id, timeline.replication_id, timeline.start, {}, {}};
  if (!timeline.bases.empty()) origin.newest_base = timeline.bases.back().offset;
  ASSIGN_OR_RETURN(
      const auto client,
      redis::Client::connect(context_.url, context_.dialer, context_.clock,
                             {.connect_timeout = kConnectTimeout, .command_timeout = seconds(10), .limits = {}}));
  const auto info = client->info();
  if (!info && (client->broken() || info.error().kind() != ErrorKind::kPermissionDenied)) return info.error();
  if (info && info->loading()) return Error(ErrorKind::kUnavailable, "the source is loading its data");
  if (info && info->replid() != origin.replid) return another_history();
  if (info) origin.announced_version = info->announced_version();
  // Without it the base counts all the same.
  if (auto side = collect_side_data(*client, context_.mask_secrets)) origin.side_json = std::move(*side);
  return origin;
}

Status SourceBaseMaker::receive(const Origin& origin, Receiver& receiver) {
  ASSIGN_OR_RETURN(auto connection,
                   context_.dialer.dial(context_.url.endpoint, context_.url.tls_or_null(), kConnectTimeout));
  redis::FollowerOptions follower;
  follower.user = context_.url.user;
  follower.password = context_.url.password;
  follower.announced_version = origin.announced_version;
  follower.base_only = true;
  auto link = std::make_shared<redis::ReplicationLink>(std::move(connection), std::move(follower), context_.clock);
  {
    const std::lock_guard lock(link_mutex_);
    link_ = link;
  }
  if (cancelled_) link->stop();
  const Status ended = link->run(receiver);
  {
    const std::lock_guard lock(link_mutex_);
    link_.reset();
  }
  RETURN_IF_ERROR(ended);
  if (!receiver.complete()) return cancelled_error();
  return {};
}

// A store that is away for a while costs the base only when it stays away: the source need not fork again.
Status SourceBaseMaker::put_parts(storage::BaseEncoder& encoder) {
  for (const storage::BaseEncoder::Part& part : encoder.take_ready()) {
    const MonoTime give_up = context_.clock.mono_now() + kStorePatience;
    while (true) {
      if (cancelled_) return cancelled_error();
      const Status put = storage::publish_part(context_.store, context_.files, part);
      if (put) break;
      if (retry_class(put.error().kind()) != RetryClass::kRetry || context_.clock.mono_now() >= give_up) return put;
      RETURN_IF_ERROR(pause(kStorePause));
    }
  }
  return {};
}

Status SourceBaseMaker::wait_until_protected(storage::Position base) {
  const MonoTime give_up = context_.clock.mono_now() + kProtectPatience;
  while (context_.clock.mono_now() < give_up) {
    const auto up_to = context_.state.protected_up_to();
    if (up_to && up_to->timeline != base.timeline) return another_history();
    if (up_to && up_to->offset >= base.offset) return {};
    RETURN_IF_ERROR(pause(kPoll));
  }
  return Error(ErrorKind::kUnavailable, fmt::format("the stream up to the base's offset {} was not archived within {}",
                                                    base.offset.value, format_duration(kProtectPatience)));
}

// The archived stream itself says what stands at the base's offset; its database is the one in force for what follows.
Result<std::uint32_t> SourceBaseMaker::prove(const std::string& source, storage::Position base,
                                             const std::string& replid) {
  ASSIGN_OR_RETURN(const auto state, storage::load_source_state(context_.store, context_.repository, source));
  const storage::TimelineState& newest = state.timelines.back();
  if (newest.id != base.timeline || newest.replication_id != replid) return another_history();
  ASSIGN_OR_RETURN(const redis::CommandParser parser, recover_at(context_.store, context_.repository, state, base));
  if (parser.state().open_multi)
    return Error(ErrorKind::kDataLoss,
                 fmt::format("the source's base at {} lies inside a MULTI of the stream", to_string(base)));
  return parser.state().database;
}

Status SourceBaseMaker::put_side_data(const std::string& source, const storage::BaseInfo& base,
                                      const std::string& json) {
  if (json.empty()) return {};
  const std::string name = storage::layout::side(source, base.timeline, base.name);
  ASSIGN_OR_RETURN(const Bytes object, storage::seal_object(context_.repository.key(), name, json, context_.random));
  ASSIGN_OR_RETURN(const storage::PutOutcome outcome, context_.store.put_if_absent(name, object));
  static_cast<void>(outcome);
  return {};
}

bool SourceBaseMaker::first_link_receives_a_base() const {
  const auto base = context_.state.base();
  return base && !base->all_put() && !base->abandoned();
}

Status SourceBaseMaker::pause(Duration duration) {
  const MonoTime until = context_.clock.mono_now() + duration;
  while (!cancelled_ && context_.clock.mono_now() < until)
    context_.clock.sleep_for(std::min<Duration>(kPoll, until - context_.clock.mono_now()));
  if (cancelled_) return cancelled_error();
  return {};
}

}  // namespace anclora::protect
