// What systemd's watchdog sees of a capture: word of life while the pipeline works, none while a part of it is stuck.
#include "app/daemon/capture_runner.h"

#include <gtest/gtest.h>

#include <atomic>
#include <sstream>
#include <thread>

#include "app/testing/notify_socket.h"
#include "protect/testing/running_capture.h"
#include "storage/store/faulty_store.h"

namespace anclora::app {
namespace {

using redis::RedisServer;

// In the test instead of 15 minutes: long enough for any thread that only waits for its turn.
constexpr Duration kStuckAfter = std::chrono::seconds(5);
constexpr Duration kPatience = std::chrono::seconds(120);

class Watchdog : public ::testing::Test {
 protected:
  Watchdog() {
    store_.decide([this](const storage::StoreRequest& request) -> std::optional<storage::StoreFault> {
      while (hang_ && request.operation == hanging_) system_clock().sleep_for(std::chrono::milliseconds(5));
      return std::nullopt;
    });
  }
  ~Watchdog() override {
    hang_ = false;
    stop_.request_stop();
    if (runner_.joinable()) runner_.join();
  }

  void start() {
    capture_ =
        protect::Capture::open({store_, archive_.repository(), posix_file_system(), system_clock(), system_random()},
                               system_dialer(), nullptr, protect::options_for(*source_), archive_.outbox())
            .value();
    runner_ = std::thread([this] {
      CaptureRunnerOptions options;
      options.stuck_after = kStuckAfter;
      const auto notifier = ServiceNotifier::create([this](const std::string& name) -> std::optional<std::string> {
        return name == "NOTIFY_SOCKET" ? std::optional(folder_ / "notify") : std::nullopt;
      });
      outcome_ = run_capture(*capture_, options, system_clock(), *notifier, out_, stop_.get_token());
    });
  }

  // The next datagram; throws when none comes.
  std::string next() {
    const MonoTime deadline = system_clock().mono_now() + kPatience;
    while (system_clock().mono_now() < deadline) {
      if (std::string said = systemd_.next(); !said.empty()) return said;
      system_clock().sleep_for(std::chrono::milliseconds(5));
    }
    throw std::runtime_error("nothing more is told to systemd");
  }
  void wait_for_word(const std::string& of) {
    const MonoTime deadline = system_clock().mono_now() + kPatience;
    while (next().find(of) == std::string::npos)
      if (system_clock().mono_now() > deadline) throw std::runtime_error("systemd is not told: " + of);
  }
  // Stuck from now on: each status is told, and no word of life between them.
  void expect_silence_of_the_watchdog(const std::string& who) {
    wait_for_word("STATUS=the " + who + " has been stuck for");
    for (int told = 0; told < 4; ++told) {
      const std::string said = next();
      EXPECT_NE(said.find("has been stuck for"), std::string::npos) << said;
      EXPECT_EQ(said.find("WATCHDOG"), std::string::npos) << said;
    }
  }

  std::unique_ptr<RedisServer> source_ = RedisServer::start();
  protect::TestArchive archive_;
  TemporaryDirectory folder_;
  NotifySocket systemd_{folder_ / "notify"};
  storage::FaultyStore store_{archive_.store(), system_clock()};
  std::atomic<storage::StoreOperation> hanging_{storage::StoreOperation::kPut};
  std::atomic<bool> hang_{false};
  std::ostringstream out_;
  std::stop_source stop_;
  std::unique_ptr<protect::Capture> capture_;
  Status outcome_;
  std::thread runner_;
};

TEST_F(Watchdog, HearsNothingWhileAPutHangsAndHearsAgainAfterIt) {
  start();
  wait_for_word("READY=1");
  for (int i = 0; i < 3; ++i) wait_for_word("WATCHDOG=1");
  hang_ = true;
  source_->command({"SET", "k", "v"});
  expect_silence_of_the_watchdog("uploader");
  hang_ = false;
  for (int i = 0; i < 3; ++i) wait_for_word("WATCHDOG=1");
  stop_.request_stop();
  runner_.join();
  EXPECT_TRUE(outcome_.has_value()) << outcome_.error().to_string();
}

TEST_F(Watchdog, HearsNothingWhileTheStartHangsInTheStore) {
  hanging_ = storage::StoreOperation::kList;
  hang_ = true;
  start();
  expect_silence_of_the_watchdog("start");
  hang_ = false;
  wait_for_word("READY=1");
  wait_for_word("WATCHDOG=1");
  stop_.request_stop();
  runner_.join();
  EXPECT_TRUE(outcome_.has_value()) << outcome_.error().to_string();
}

}  // namespace
}  // namespace anclora::app
