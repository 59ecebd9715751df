// Tells contacts by all their channels at once: a channel that fails or hangs delays no other.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "respond/notify/channel.h"
#include "respond/notify/send_limit.h"

namespace anclora::respond {

struct NotifierOptions {
  Duration bound = std::chrono::seconds(60);            // of one tell(), over all attempts
  Duration attempt_timeout = std::chrono::seconds(10);  // of one attempt
  std::uint32_t most_attempts = 5;
  Duration first_back_off = std::chrono::milliseconds(500);  // doubles up to longest_back_off, with jitter
  Duration longest_back_off = std::chrono::seconds(15);
  SendLimitRules limit = {};  // what is held back is counted in the next message that goes out
};

// Thread rule: tell() from any thread; the rate limit is shared by all of them, and with `means.limit_file` by all
// processes that name the same file.
class Notifier {
 public:
  using MakeChannel = std::function<Result<std::unique_ptr<Channel>>(const plan::Channel&)>;
  // Which channels of a contact are left out (already told by an earlier attempt).
  using Skip = std::function<bool(const plan::Contact&, std::uint32_t index)>;
  using Told = std::function<void(const Delivery&)>;

  // `plan` is copied as far as contacts go. `make` is make_channel() but for tests.
  Notifier(const plan::Plan& plan, MakeChannel make, const ChannelMeans& means, NotifierOptions options = {});
  Notifier(const plan::Plan& plan, ReferenceLookup lookup, const ChannelMeans& means, NotifierOptions options = {});

  struct Call {
    std::vector<std::string> contacts;  // ids or roles; a person who is named twice is told once
    Skip skip = {};
    Told told = {};                        // as each delivery is settled; one call at a time, from any thread
    std::function<bool()> cancelled = {};  // true: give up between attempts
    Duration bound = {};                   // shorter than the options' when not zero
  };
  // One Delivery a contact and channel, in the plan's order; empty when nobody has one of these names.
  std::vector<Delivery> tell(const Call& call, const Message& message);

 private:
  struct Job;
  void run(Job& job, const Call& call, const Message& message, MonoTime deadline);
  std::uint64_t jitter_below(std::uint64_t bound);
  Delivery attempt_all(const Job& job, const Call& call, const Message& message, MonoTime deadline);

  std::vector<plan::Contact> contacts_;
  MakeChannel make_;
  ChannelMeans means_;
  NotifierOptions options_;
  SendLimit limit_;
  std::mutex random_mutex_, told_mutex_;
};

}  // namespace anclora::respond
