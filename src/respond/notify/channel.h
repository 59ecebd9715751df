// One way to reach one contact: e-mail, a webhook, PagerDuty, WhatsApp by the Evolution API, a program.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "plan/plan.h"
#include "respond/notify/message.h"

namespace anclora::respond {

// Reads "env:NAME" and "file:/path"; a literal is returned as it is. kNotFound names the reference, never its value.
using ReferenceLookup = std::function<Result<Secret>(std::string_view)>;

// What one attempt to deliver came to.
struct Attempt {
  bool accepted = false;
  bool retry = false;      // another attempt may help
  Duration retry_after{};  // what the other side asked for; zero: nothing
  std::string detail;      // one line without a secret
};

// Thread rule: one deliver() at a time per object; different objects from different threads.
class Channel {
 public:
  virtual ~Channel() = default;
  // One attempt; comes back soon after `deadline` at the latest, whatever the other side does.
  virtual Attempt deliver(const Message& message, MonoTime deadline) = 0;
};

struct ChannelMeans {
  Clock& clock;
  FileSystem& files;
  Random& random;
  std::string limit_file = {};  // where the rate limit is kept for all processes (SendLimit); empty: a Notifier's own
};

// The channel that the plan describes (plan::channel_schemas() has the settings), its references read now. kNotFound or
// kInvalidArgument name the setting that is wrong; kUnsupported: a kind by which nothing is sent (phone).
Result<std::unique_ptr<Channel>> make_channel(const plan::Channel& channel, const ReferenceLookup& lookup,
                                              const ChannelMeans& means);

}  // namespace anclora::respond
