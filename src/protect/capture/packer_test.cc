#include "protect/capture/packer.h"

#include <gtest/gtest.h>

#include "base/memory_file_system.h"
#include "storage/repository/testing/test_source.h"
#include "storage/store/memory_store.h"

namespace anclora::protect {
namespace {

TEST(Packer, AnEntryThatWasLeftOutEndsAPackAndCostsNoneOfItsEntries) {
  ManualClock clock;
  MemoryFileSystem files(clock);
  SeededRandom random(4);
  storage::MemoryStore store(clock);
  const storage::Repository repository = storage::make_plain_repository(store, clock, random);
  storage::TestSource source(store, repository, clock, random);
  source.open_first();
  for (const char* bytes : {"abc", "def", "ghi", "jkl"}) source.append(bytes);
  storage::CheckpointDelta first;
  first.opened.push_back(source.opened());
  CaptureState state(clock);
  CheckpointWriter checkpoints({store, repository, "default", std::chrono::minutes(1), clock, random, state}, first);
  Packer packer({store, repository, "default", "/pack", files, clock, random, state, checkpoints});
  for (std::size_t i = 0; i < source.entries().size(); ++i)
    if (i != 2) packer.offer(source.entries()[i].object_name, source.entries()[i].object);
  while (packer.step()) {
  }
  clock.advance(std::chrono::seconds(61));
  while (packer.step()) {
  }
  ASSERT_TRUE(checkpoints.write_now());
  const auto packs = source.load().timelines.front().packs;
  ASSERT_EQ(packs.size(), 2u) << state.status().last_error;
  EXPECT_EQ(packs[0].last_sequence, 1u);
  EXPECT_EQ(packs[1].first_sequence, 3u);
  EXPECT_EQ(packs[1].last_sequence, 4u);
}

TEST(Packer, NothingIsPackedOrAnnouncedInAnOlderCopyOfTheRepository) {
  ManualClock clock;
  MemoryFileSystem files(clock);
  SeededRandom random(4);
  storage::MemoryStore store(clock);
  const storage::Repository repository = storage::make_plain_repository(store, clock, random);
  storage::TestSource source(store, repository, clock, random);
  source.open_first();
  source.append("abc");
  storage::CheckpointDelta first;
  first.opened.push_back(source.opened());
  CaptureState state(clock);
  CheckpointWriter checkpoints({store, repository, "default", std::chrono::minutes(1), clock, random, state}, first);
  Packer packer({store, repository, "default", "/pack", files, clock, random, state, checkpoints});
  for (const auto& entry : source.entries()) packer.offer(entry.object_name, entry.object);
  while (packer.step()) {
  }
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
  while (packer.step()) {
  }
  EXPECT_TRUE(checkpoints.write_now());
  EXPECT_EQ(source.load().timelines.front().packs.size(), 1u) << state.status().last_error;
}

}  // namespace
}  // namespace anclora::protect
