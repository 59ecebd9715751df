#include "protect/capture/source_reader.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace anclora::protect {
namespace {

using std::chrono::seconds;

// A source that is down: it notes when it was asked for.
class Down final : public Dialer {
 public:
  Down(Clock& clock, std::size_t tries) : clock_(clock), tries_(tries) {}
  Result<std::unique_ptr<Connection>> dial(const Endpoint& endpoint, const TlsOptions*, Duration) override {
    asked_.push_back(clock_.mono_now());
    if (asked_.size() == tries_) enough();
    return Error(ErrorKind::kUnavailable, "nobody answers at " + endpoint.to_string());
  }
  const std::vector<MonoTime>& asked() const { return asked_; }
  std::function<void()> enough;

 private:
  Clock& clock_;
  std::size_t tries_;
  std::vector<MonoTime> asked_;
};

class NoForks final : public ForkFinder {
 public:
  Result<redis::CommandParser> state_at(redis::Offset) override { return Error(ErrorKind::kNotFound, "no fork"); }
};

TEST(SourceReader, ASourceThatIsDownIsAskedForEveryFewSecondsHoweverLongItIsDown) {
  ManualClock clock;
  SeededRandom random(5);
  EventQueue events(kMiB);
  CaptureState state(clock);
  NoForks forks;
  ThreadBeats beats;
  Down down(clock, 200);
  SourceReader reader({redis::RedisUrl::parse("redis://127.0.0.1:6379").value(), AckMode::kDurable, down, clock, random,
                       events, state, forks, beats});
  down.enough = [&] { reader.stop(); };
  EXPECT_TRUE(reader.run().has_value());
  ASSERT_EQ(down.asked().size(), 200u);
  Duration longest{}, shortest = seconds(100);
  for (std::size_t i = 20; i < down.asked().size(); ++i) {
    longest = std::max<Duration>(longest, down.asked()[i] - down.asked()[i - 1]);
    shortest = std::min<Duration>(shortest, down.asked()[i] - down.asked()[i - 1]);
  }
  EXPECT_LE(longest, seconds(4));
  EXPECT_GE(shortest, seconds(1));  // and yet not hammered
}

}  // namespace
}  // namespace anclora::protect
