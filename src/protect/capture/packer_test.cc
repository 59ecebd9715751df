#include "protect/capture/packer.h"

#include <gtest/gtest.h>

#include "base/memory_file_system.h"
#include "storage/repository/testing/test_source.h"
#include "storage/store/memory_store.h"

namespace anclora::protect {
namespace {

class PackerTest : public ::testing::Test {
 protected:
  void offer_all_but(std::size_t left_out) {
    for (std::size_t i = 0; i < source.entries().size(); ++i)
      if (i != left_out) packer.offer(source.entries()[i].object_name, source.entries()[i].object);
    work();
  }
  void work() {
    while (packer.step()) {
    }
  }

  ManualClock clock;
  MemoryFileSystem files{clock};
  SeededRandom random{4};
  storage::MemoryStore store{clock};
  const storage::Repository repository = storage::make_plain_repository(store, clock, random);
  storage::TestSource source{store, repository, clock, random};
  CaptureState state{clock};
  CheckpointWriter checkpoints{{store, repository, "default", std::chrono::minutes(1), clock, random, state}, begun()};
  Packer packer{{store, repository, "default", "/pack", files, clock, random, state, checkpoints}};

 private:
  storage::CheckpointDelta begun() {
    source.open_first();
    storage::CheckpointDelta first;
    first.opened.push_back(source.opened());
    return first;
  }
};

TEST_F(PackerTest, AnEntryThatWasLeftOutEndsAPackAndCostsNoneOfItsEntries) {
  for (const char* bytes : {"abc", "def", "ghi", "jkl"}) source.append(bytes);
  offer_all_but(2);
  clock.advance(std::chrono::seconds(61));
  work();
  ASSERT_TRUE(checkpoints.write_now());
  const auto packs = source.load().timelines.front().packs;
  ASSERT_EQ(packs.size(), 2u) << state.status().last_error;
  EXPECT_EQ(packs[0].last_sequence, 1u);
  EXPECT_EQ(packs[1].first_sequence, 3u);
  EXPECT_EQ(packs[1].last_sequence, 4u);
}

TEST_F(PackerTest, NothingIsPackedOrAnnouncedInAnOlderCopyOfTheRepository) {
  source.append("abc");
  offer_all_but(source.entries().size());
  const std::string newest = source.entries().back().object_name;
  checkpoints.stands_on(newest);
  const Bytes kept = store.get(newest, kMiB).value();
  ASSERT_TRUE(store.remove(newest));

  clock.advance(std::chrono::seconds(61));
  EXPECT_TRUE(packer.step());
  EXPECT_FALSE(packer.step()) << "it does not ask again at once";
  EXPECT_FALSE(checkpoints.write_now());
  EXPECT_TRUE(store.list("sources/default/0000000001/pack/", false)->objects.empty());
  EXPECT_TRUE(store.list("sources/default/checkpoint/", false)->objects.empty());

  ASSERT_TRUE(store.put_if_absent(newest, kept));  // it is back
  clock.advance(std::chrono::minutes(1));
  work();
  EXPECT_TRUE(checkpoints.write_now());
  EXPECT_EQ(source.load().timelines.front().packs.size(), 1u) << state.status().last_error;
}

}  // namespace
}  // namespace anclora::protect
