// What the links of one Feeder share.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "redis/replication/feeder.h"

namespace anclora::redis {

class FeederLink;

// Any thread.
class FeederState {
 public:
  FeederState(FeedSource& feed, Clock& feed_clock, FeederOptions feed_options, FeederIdentity feed_identity);

  FeedSource& source;
  Clock& clock;
  const FeederOptions options;
  const FeederIdentity identity;

  // --- links
  // False when there are too many, or stopping.
  bool add(FeederLink& link);
  void remove(FeederLink& link);
  // Makes `link` the target: the one before it is cut, and has let go of the source when this returns.
  // kCancelled while stopping; the feed's failure; kFailedPrecondition when the target asks for everything too often.
  Status become_target(FeederLink& link, const SyncRequest& request);
  void release(FeederLink& link);
  void refuse_peer(const std::string& address);
  void stop();
  bool stopping() const;

  // --- progress
  FeederProgress progress() const;
  std::optional<Error> failure() const;
  void fail(Error error);
  void note_link_error(const Error& error);
  void note_target(const std::string& address, const TargetFacts& facts);
  void note_stage(FeederProgress::Stage stage);
  void note_base_sent(std::uint64_t bytes);
  void note_stream_sent(Offset offset);
  // `round`: as it was before the stream was opened; of an earlier one, the end counts no more.
  void note_end(Offset offset, std::uint64_t round);
  void go_on();
  std::uint64_t round() const;
  // kDataLoss when it is more than was sent.
  Status note_acknowledged(Offset offset);
  // Raised before the bytes leave: a target may hold what a failed write sent.
  void allow_resume_up_to(Offset offset);
  Offset resumable_up_to() const;

  Status wait_until_acknowledged(std::optional<Offset> offset, Duration timeout, const std::string& listening_at);

 private:
  Status count_full_sync();
  Error not_in_time(std::optional<Offset> offset, const std::string& listening_at) const;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  FeederProgress progress_;
  std::set<FeederLink*> links_;
  FeederLink* target_ = nullptr;
  std::optional<Error> failure_;
  bool stopping_ = false;
  bool base_unconfirmed_ = false;  // the whole base was sent, and nothing acknowledged since
  int bases_refused_ = 0;
  Offset resumable_up_to_;
  std::uint64_t round_ = 0;  // grows with each go_on()
};

}  // namespace anclora::redis
