// The disk of the outbox fails under a running capture: EIO, a full disk or quota, a file system that became read-only.
// The rule is in docs/operations/outbox-disk.md.
#include <gtest/gtest.h>

#include <atomic>

#include "base/faulty_file_system.h"
#include "protect/capture/capture_state.h"
#include "protect/testing/running_capture.h"
#include "storage/store/faulty_store.h"

namespace anclora::protect {
namespace {

using redis::RedisServer;

class OutboxFaults : public ::testing::Test {
 protected:
  OutboxFaults() {
    store_.decide([this](const storage::StoreRequest&) -> std::optional<storage::StoreFault> {
      if (store_away_) return storage::StoreFault{};
      return std::nullopt;
    });
    options_.upload.entries = 2;
  }

  std::unique_ptr<RunningCapture> start() {
    return std::make_unique<RunningCapture>(archive_, options_, &store_, std::string(), files_);
  }
  std::unique_ptr<RunningCapture> start_with_base() {
    auto capture = start();
    source_->command({"SET", "first", "1"});
    capture->wait_protected(offset_of(*source_));
    return capture;
  }

  // Random text over several entries' worth of seals.
  void write(int writes = 200) {
    auto client = source_->client();
    SeededRandom random(7);
    for (int i = 0; i < writes; ++i)
      ASSERT_TRUE(client->command({"SET", "k" + std::to_string(i % 20), random.bytes(20 * kKiB)}));
  }

  void write_until(RunningCapture& capture, const std::function<bool(const CaptureStatus&)>& reached,
                   const std::string& what) {
    capture.wait_for(
        [&](const CaptureStatus& status) {
          if (reached(status)) return true;
          write(10);
          return false;
        },
        what);
  }

  static bool paused(const CaptureStatus& status) { return status.link == LinkState::kPaused; }

  void expect_all_archived() {
    const auto contents = archive_.read();
    EXPECT_GE(contents.end(), newest_write_);
    EXPECT_NE(contents.stream.find("after-all"), Bytes::npos);
    EXPECT_EQ(archive_.state().timelines.size(), 1u) << "a gap or a new history";
  }
  void last_write(RunningCapture& capture) {
    source_->command({"SET", "after-all", "1"});
    newest_write_ = offset_of(*source_);
    capture.wait_protected(newest_write_);
  }

  std::unique_ptr<RedisServer> source_ = RedisServer::start({"repl-backlog-size 512mb"});
  TestArchive archive_;
  storage::FaultyStore store_{archive_.store(), system_clock()};
  FaultyFileSystem files_{posix_file_system()};
  std::atomic<bool> store_away_{false};
  CaptureOptions options_ = options_for(*source_);
  redis::Offset newest_write_;
};

TEST_F(OutboxFaults, WithTheStoreAwayTooCaptureLeavesTheSourceAndComesBackWhenEitherReturns) {
  struct Case {
    ErrorKind kind;  // of EIO, ENOSPC and EDQUOT, EROFS
    const char* told;
    bool disk_returns;
  };
  auto capture = start_with_base();
  for (const Case& one : {Case{ErrorKind::kIo, "cannot be written", true},
                          Case{ErrorKind::kResourceExhausted, "the outbox is full", false},
                          Case{ErrorKind::kPermissionDenied, "cannot be written", false}}) {
    SCOPED_TRACE(to_string(one.kind));
    files_.break_folder(archive_.outbox(), one.kind, false);
    store_away_ = true;
    write_until(*capture, paused, "the pause");
    const CaptureStatus told = capture->status();
    EXPECT_NE(told.link_detail.find(one.told), std::string::npos) << told.link_detail;
    EXPECT_NE(told.link_detail.find("planned fault"), std::string::npos) << told.link_detail;
    EXPECT_NE(told.link_detail.find("either is enough to go on"), std::string::npos) << told.link_detail;
    EXPECT_LT(told.protected_up_to->offset, told.received);
    // WAIT counts nobody: what only memory holds is acknowledged to nobody.
    EXPECT_LE(capture->status().protected_up_to->offset, told.protected_up_to->offset);
    if (one.disk_returns) {
      files_.mend_folder();
      capture->wait_for([](const CaptureStatus& status) { return status.link == LinkState::kStreaming; }, "the source");
      store_away_ = false;
      last_write(*capture);
    } else {
      store_away_ = false;
      last_write(*capture);
      files_.mend_folder();
    }
  }
  EXPECT_EQ(capture->status().full_syncs, 1u);
  ASSERT_TRUE(capture->stop());
  expect_all_archived();
}

TEST_F(OutboxFaults, WhatIsToldIsWhatIsTrueNowAndNotWhatBeganThePause) {
  auto capture = start_with_base();
  files_.break_folder(archive_.outbox(), ErrorKind::kResourceExhausted, false);
  store_away_ = true;
  write_until(*capture, paused, "the pause");
  files_.break_folder(archive_.outbox(), ErrorKind::kIo, false);
  capture->wait_for(
      [](const CaptureStatus& status) {
        return status.link_detail.find("the outbox cannot be written") != std::string::npos;
      },
      "the new reason");
  store_away_ = false;
  last_write(*capture);
  files_.mend_folder();
  ASSERT_TRUE(capture->stop());
  expect_all_archived();
}

TEST(CaptureState, APauseKeepsItsReasonWhenTheLinkItBeganOnIsGone) {
  CaptureState state(system_clock());
  state.drop(1, Error(ErrorKind::kIo, "the outbox cannot be written"), true);
  EXPECT_FALSE(state.dropped(2));
  ASSERT_TRUE(state.paused());
  EXPECT_EQ(state.paused()->message(), "the outbox cannot be written");
  state.resumed();
  EXPECT_FALSE(state.paused());
}

TEST_F(OutboxFaults, AStoreThatWorksIsEnough) {
  auto capture = start_with_base();
  files_.break_folder(archive_.outbox(), ErrorKind::kIo, true);
  write();
  last_write(*capture);
  EXPECT_EQ(capture->status().link, LinkState::kStreaming);
  files_.mend_folder();
  ASSERT_TRUE(capture->stop());
  expect_all_archived();
}

TEST_F(OutboxFaults, AStopThatCanKeepNothingSaysSoAndTheSourceSendsItAgain) {
  auto capture = start_with_base();
  store_away_ = true;
  files_.break_folder(archive_.outbox(), ErrorKind::kIo, false);
  write_until(*capture, paused, "the pause");
  const Status stopped = capture->stop(Duration::zero());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind(), ErrorKind::kIo);
  EXPECT_NE(stopped.error().message().find("not protected yet"), std::string::npos) << stopped.error().to_string();
  EXPECT_NE(stopped.error().hint().find("backlog"), std::string::npos) << stopped.error().to_string();
  store_away_ = false;
  files_.mend_folder();
  capture = start();
  last_write(*capture);
  EXPECT_EQ(capture->status().full_syncs, 0u);
  ASSERT_TRUE(capture->stop());
  expect_all_archived();
}

TEST_F(OutboxFaults, WhatCannotBeReadBackIsPutAsideToldAndAskedOfTheSourceAgain) {
  auto capture = start_with_base();
  store_away_ = true;
  write_until(*capture, [](const CaptureStatus& status) { return status.outbox_entries >= 5; }, "a filled outbox");
  const auto entries = posix_file_system().list(archive_.outbox() + "/entries").value();
  files_.break_folder(archive_.outbox() + "/entries/" + entries.at(2).name, ErrorKind::kIo, true);
  store_away_ = false;
  capture->wait_for(
      [](const CaptureStatus& status) { return status.last_error.find("put aside") != std::string::npos; },
      "word of what was put aside");
  last_write(*capture);
  EXPECT_EQ(capture->status().full_syncs, 1u);
  ASSERT_TRUE(capture->stop());
  expect_all_archived();
  EXPECT_FALSE(posix_file_system().list(archive_.outbox() + "/abandoned")->empty());
}

TEST_F(OutboxFaults, AReadThatFailsForAMomentCostsNothing) {
  auto capture = start_with_base();
  store_away_ = true;
  write_until(*capture, [](const CaptureStatus& status) { return status.outbox_entries >= 5; }, "a filled outbox");
  ASSERT_FALSE(capture->stop(Duration::zero()));
  const auto entries = posix_file_system().list(archive_.outbox() + "/entries").value();
  files_.break_folder(archive_.outbox() + "/entries/" + entries.at(2).name, ErrorKind::kIo, true, 3);
  store_away_ = false;
  capture = start();
  last_write(*capture);
  EXPECT_EQ(files_.refused(), 3u);
  EXPECT_EQ(capture->status().full_syncs, 0u);
  ASSERT_TRUE(capture->stop());
  expect_all_archived();
  EXPECT_FALSE(posix_file_system().list(archive_.outbox() + "/abandoned").has_value());
}

TEST_F(OutboxFaults, ABaseThatCannotBeReadBackIsMadeAgain) {
  source_->command({"SET", "first", "1"});
  store_away_ = false;
  std::atomic<bool> base_waits{true};
  store_.decide([&](const storage::StoreRequest& request) -> std::optional<storage::StoreFault> {
    const bool part = request.operation == storage::StoreOperation::kPut && request.name.find("/base/") != Bytes::npos;
    if (base_waits && part) return storage::StoreFault{};
    return std::nullopt;
  });
  auto capture = start();
  capture->wait_for([](const CaptureStatus& status) { return status.store_failures > 0; }, "a base that waits");
  files_.break_folder(archive_.outbox() + "/base", ErrorKind::kIo, true, 2);
  base_waits = false;
  capture->wait_for([](const CaptureStatus& status) { return status.full_syncs == 2; }, "another base");
  last_write(*capture);
  EXPECT_EQ(capture->status().full_syncs, 2u);
  ASSERT_TRUE(capture->stop());
}

TEST_F(OutboxFaults, WithoutAnOutboxCaptureDoesNotStart) {
  for (const ErrorKind kind : {ErrorKind::kIo, ErrorKind::kResourceExhausted, ErrorKind::kPermissionDenied}) {
    files_.break_folder(archive_.outbox(), kind, false);
    const auto outbox = Outbox::open(files_, system_random(), archive_.outbox(), kMiB);
    ASSERT_FALSE(outbox.has_value());
    EXPECT_EQ(outbox.error().kind(), kind);
    EXPECT_NE(outbox.error().hint().find("--outbox"), std::string::npos) << outbox.error().to_string();
    EXPECT_EQ(outbox.error().hint().find("another capture"), std::string::npos) << outbox.error().to_string();
  }
}

}  // namespace
}  // namespace anclora::protect
