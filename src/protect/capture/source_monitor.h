// Asks the source about itself over a connection of its own: its offset for the lag, now and then how many keys it
// holds at which offset, and what travels beside a base.
#pragma once

#include <memory>
#include <optional>

#include "base/random.h"
#include "base/socket.h"
#include "protect/capture/backoff.h"
#include "protect/capture/capture_state.h"
#include "redis/client/client.h"

namespace anclora::protect {

// One thread. A source that does not answer is no error: it is asked again, less and less often.
class SourceMonitor {
 public:
  struct Context {
    redis::RedisUrl url;
    Dialer& dialer;
    Clock& clock;
    Random& random;
    CaptureState& state;
    bool mask_secrets = true;
  };
  explicit SourceMonitor(Context context);
  // To be called about once a second.
  void poll();

 private:
  Status ask();
  void take_key_counts(const redis::Info& info, MonoTime now);
  void tell_trouble(const redis::Info& info);

  Context context_;
  std::unique_ptr<redis::Client> client_;
  std::weak_ptr<BaseTransfer> described_;  // the base whose side data were collected
  MonoTime next_count_{};
  bool info_refused_ = false;
  Backoff failures_;
};

}  // namespace anclora::protect
