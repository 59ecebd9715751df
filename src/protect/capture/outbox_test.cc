#include "protect/capture/outbox.h"

#include <gtest/gtest.h>

#include "base/testing/temporary_directory.h"

namespace anclora::protect {
namespace {

class OutboxTest : public testing::Test {
 protected:
  std::unique_ptr<Outbox> open(std::uint64_t limit = kMiB) {
    auto outbox = Outbox::open(posix_file_system(), system_random(), folder_ / "outbox", limit);
    EXPECT_TRUE(outbox) << outbox.error().to_string();
    return outbox ? std::move(*outbox) : nullptr;
  }
  TemporaryDirectory folder_;
};

TEST_F(OutboxTest, KeepsEntriesInOrderOverARestart) {
  storage::HolderId holder{};
  {
    auto outbox = open();
    holder = outbox->holder();
    for (std::uint64_t sequence : {8u, 9u, 10u})
      ASSERT_TRUE(outbox->append({2}, sequence, storage::EntryKind::kStream, "object " + std::to_string(sequence)));
    ASSERT_TRUE(outbox->append({3}, 0, storage::EntryKind::kStream, "next timeline"));
    outbox->remove_first();
  }
  auto outbox = open();
  EXPECT_EQ(outbox->holder(), holder);
  ASSERT_EQ(outbox->pending().size(), 3u);
  EXPECT_EQ(outbox->pending()[0].sequence, 9u);
  EXPECT_EQ(*outbox->read(outbox->pending()[1]), "object 10");
  EXPECT_EQ(outbox->pending()[2].timeline.value, 3u);
}

TEST_F(OutboxTest, RefusesASecondHolderOfTheFolder) {
  auto first = open();
  auto second = Outbox::open(posix_file_system(), system_random(), folder_ / "outbox", kMiB);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind(), ErrorKind::kFailedPrecondition);
  EXPECT_NE(second.error().hint().find("another capture of this source runs on this machine"), std::string::npos);
}

TEST_F(OutboxTest, StopsAtItsLimitAndTakesMoreWhenThereIsRoom) {
  auto outbox = open(100);
  ASSERT_TRUE(outbox->append({1}, 0, storage::EntryKind::kStream, std::string(60, 'a')));
  const Status full = outbox->append({1}, 1, storage::EntryKind::kStream, std::string(60, 'b'));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().kind(), ErrorKind::kResourceExhausted);
  EXPECT_EQ(outbox->pending().size(), 1u);
  outbox->remove_first();
  EXPECT_TRUE(outbox->append({1}, 1, storage::EntryKind::kStream, std::string(60, 'b')));
  EXPECT_EQ(outbox->pending_bytes(), 60u);
}

TEST_F(OutboxTest, SweepsWhatACrashLeftHalfWritten) {
  {
    auto outbox = open();
  }
  auto torn = posix_file_system().create(folder_ / "outbox/entries/~0000000001-00000000000000000000-3");
  ASSERT_TRUE(torn);
  torn->reset();
  auto outbox = open();
  EXPECT_TRUE(outbox->pending().empty());
  EXPECT_TRUE(posix_file_system().list(folder_ / "outbox/entries")->empty());
}

TEST_F(OutboxTest, RemembersTheChain) {
  SavedChain chain;
  chain.source_url = "redis://example:6379";
  chain.tip.timeline = {3};
  chain.tip.next_sequence = 17;
  chain.tip.hash = hash256("x");
  chain.tip.last = {1000};
  chain.tip.boundary = {990};
  chain.tip.replication_id = "abc";
  chain.tip.epoch = 5;
  chain.state = {.offset = {1000}, .boundary = {990}, .database = 4, .open_multi = redis::Offset{991}};
  chain.base_complete = true;
  {
    auto outbox = open();
    EXPECT_FALSE(outbox->load()->has_value());
    ASSERT_TRUE(outbox->save(chain));
    ASSERT_TRUE(outbox->save(chain));
  }
  const auto loaded = open()->load();
  ASSERT_TRUE(loaded && *loaded);
  EXPECT_EQ((*loaded)->source_url, chain.source_url);
  EXPECT_EQ((*loaded)->tip.hash, chain.tip.hash);
  EXPECT_EQ((*loaded)->tip.next_sequence, 17u);
  EXPECT_EQ((*loaded)->tip.boundary, chain.tip.boundary);
  EXPECT_FALSE((*loaded)->tip.closed);
  EXPECT_EQ((*loaded)->state, chain.state);
  EXPECT_TRUE((*loaded)->base_complete);
}

TEST_F(OutboxTest, PutsAsideWhatCanNeverBePublished) {
  auto outbox = open();
  ASSERT_TRUE(outbox->append({1}, 4, storage::EntryKind::kStream, "x"));
  ASSERT_TRUE(outbox->abandon_all());
  EXPECT_TRUE(outbox->pending().empty());
  EXPECT_EQ(outbox->pending_bytes(), 0u);
  EXPECT_EQ(posix_file_system().list(folder_ / "outbox/abandoned")->size(), 1u);
}

}  // namespace
}  // namespace anclora::protect
