// Making a later base. When one is due is decided by capture alone (BaseSchedule); how, by whoever implements this: a
// scratch server fed from the repository, or the source itself.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "redis/rdb/rdb_versions.h"
#include "storage/repository/source_state.h"

namespace anclora::protect {

class BaseMaker {
 public:
  virtual ~BaseMaker() = default;
  // Makes, publishes and announces (by a checkpoint) a base of the state after `at`, a protected boundary of the newest
  // timeline, or after a later one. May take minutes. kResourceExhausted: memory or disk would not do, say so and ask
  // again later. `server`: what the source is, which has to load the base; nothing: it would not tell.
  virtual Result<storage::BaseInfo> make_base(const std::string& source, storage::Position at,
                                              const std::optional<redis::Product>& server) = 0;
  // "a scratch server": for messages.
  virtual std::string_view who() const = 0;
  // Any thread: make_base() gives up soon, with kCancelled.
  virtual void cancel() = 0;
  // Any thread: cancel() is over.
  virtual void allow() {}
};

}  // namespace anclora::protect
