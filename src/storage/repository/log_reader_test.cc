#include "storage/repository/log_reader.h"

#include <gtest/gtest.h>

#include "storage/repository/testing/test_source.h"
#include "storage/store/faulty_store.h"
#include "storage/store/folder_store.h"
#include "storage/store/memory_store.h"

namespace anclora::storage {
namespace {

template <class T>
ErrorKind kind_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result ? ErrorKind::kInternal : result.error().kind();
}

class LogReaderTest : public ::testing::Test {
 protected:
  // The bytes of the stream between two positions, with each entry checked to follow the one before it.
  Result<Bytes> read(const SourceState& state, Position from, std::optional<Position> to) {
    ASSIGN_OR_RETURN(LogReader reader, LogReader::open(store_, repository_, state, from, to));
    Bytes bytes;
    while (true) {
      ASSIGN_OR_RETURN(const std::optional<LogEntry> entry, reader.next());
      if (!entry) return bytes;
      if (!entry->bytes.empty() && entry->first < from.offset)
        bytes += entry->bytes.substr(from.offset - entry->first);
      else
        bytes += entry->bytes;
    }
  }
  Result<Bytes> read(std::uint64_t from, std::optional<std::uint64_t> to = std::nullopt) {
    std::optional<Position> end;
    if (to) end = Position{TimelineId{1}, redis::Offset{*to}};
    return read(writer_.load(), {TimelineId{1}, redis::Offset{from}}, end);
  }
  // Opens at 0, appends "aaaaa", "bbbbb", ...
  void append(int count) {
    for (int i = 0; i < count; ++i) writer_.append(std::string(5, static_cast<char>('a' + next_++)));
  }
  void announce(const PackInfo& pack, bool opened = true) {
    CheckpointDelta delta;
    if (opened) delta.opened = {writer_.opened()};
    delta.packs = {pack};
    writer_.checkpoint(delta);
  }

  ManualClock clock_;
  MemoryStore store_{clock_};
  SeededRandom random_{5};
  Repository repository_ = make_plain_repository(store_, clock_, random_);
  TestSource writer_{store_, repository_, clock_, random_};
  int next_ = 0;
};

TEST_F(LogReaderTest, ReadsEntriesPacksAndWhatComesAfterThem) {
  writer_.open_first();
  append(3);
  announce(writer_.pack());
  append(2);
  announce(writer_.pack());
  append(2);
  for (std::size_t i = 0; i + 3 < writer_.entries().size(); ++i)
    ASSERT_TRUE(store_.remove(writer_.entries()[i].object_name).has_value());
  EXPECT_EQ(read(0).value(), "aaaaabbbbbcccccdddddeeeeefffffggggg");
  EXPECT_EQ(read(7).value(), "bbbcccccdddddeeeeefffffggggg");
  EXPECT_EQ(read(15).value(), "dddddeeeeefffffggggg");
  EXPECT_EQ(read(26).value(), "ffffggggg");
  EXPECT_EQ(read(5, 15).value(), "bbbbbccccc");
  EXPECT_EQ(read(5, 14).value(), "bbbbbccccc");  // to the end of the entry that reaches it
  EXPECT_EQ(read(35).value(), "");
  EXPECT_EQ(read(10, 10).value(), "");
  EXPECT_EQ(kind_of(read(0, 36)), ErrorKind::kNotFound);
}

TEST_F(LogReaderTest, HandsOutTheOpeningEntryWhenReadFromTheStart) {
  writer_.open_first(50);
  append(1);
  auto reader = LogReader::open(store_, repository_, writer_.load(), {TimelineId{1}, redis::Offset{50}}, std::nullopt);
  const auto first = reader->next();
  EXPECT_EQ((*first)->kind, EntryKind::kOpened);
}

TEST_F(LogReaderTest, AForkReadsTheParentUpToItAndThenItsOwn) {
  writer_.open_first();
  append(4);  // parent: 0..20
  writer_.open({OriginKind::kFork, {TimelineId{1}, redis::Offset{12}}, clock_.wall_now(), "promoted"},
               redis::Offset{12});
  append(2);
  const SourceState state = writer_.load();
  const Position from{TimelineId{2}, redis::Offset{3}};
  EXPECT_EQ(read(state, from, std::nullopt).value(), "aabbbbbcceeeeefffff");
  EXPECT_EQ(read(state, {TimelineId{1}, redis::Offset{3}}, Position{TimelineId{2}, redis::Offset{22}}).value(),
            "aabbbbbcceeeeefffff");
  EXPECT_EQ(read(state, {TimelineId{1}, redis::Offset{3}}, Position{TimelineId{1}, redis::Offset{20}}).value(),
            "aabbbbbcccccddddd");
  EXPECT_EQ(read(state, {TimelineId{2}, redis::Offset{12}}, std::nullopt).value(), "eeeeefffff");
  // What the parent did after the fork is no part of the fork's past.
  EXPECT_EQ(kind_of(read(state, {TimelineId{1}, redis::Offset{13}}, Position{TimelineId{2}, redis::Offset{22}})),
            ErrorKind::kFailedPrecondition);
}

TEST_F(LogReaderTest, AForkOfAForkIsRead) {
  writer_.open_first();
  append(2);
  CheckpointDelta first;
  first.opened = {writer_.opened()};
  writer_.checkpoint(first);
  writer_.open({OriginKind::kFork, {TimelineId{1}, redis::Offset{10}}, clock_.wall_now(), ""}, redis::Offset{10});
  append(2);
  writer_.append_kind(EntryKind::kClosed);
  announce(writer_.pack(), true);
  writer_.open({OriginKind::kFork, {TimelineId{2}, redis::Offset{17}}, clock_.wall_now(), ""}, redis::Offset{17});
  append(1);
  const SourceState state = writer_.load();
  EXPECT_EQ(read(state, {TimelineId{1}, redis::Offset{0}}, Position{TimelineId{3}, redis::Offset{22}}).value(),
            "aaaaabbbbbcccccddeeeee");
}

TEST_F(LogReaderTest, DoesNotReadAcrossAGap) {
  writer_.open_first();
  append(1);
  writer_.open({OriginKind::kGap, {TimelineId{1}, redis::Offset{5}}, clock_.wall_now(), ""}, redis::Offset{900});
  append(1);
  const SourceState state = writer_.load();
  const auto refused = read(state, {TimelineId{1}, redis::Offset{0}}, Position{TimelineId{2}, redis::Offset{905}});
  ASSERT_EQ(kind_of(refused), ErrorKind::kFailedPrecondition);
  EXPECT_NE(refused.error().message().find("gap"), std::string::npos);
  EXPECT_EQ(read(state, {TimelineId{2}, redis::Offset{900}}, std::nullopt).value(), "bbbbb");
}

TEST_F(LogReaderTest, AHoleAndASwapAndAnotherWritersEntryAreDataLoss) {
  writer_.open_first();
  append(5);
  const SourceState state = writer_.load();
  const auto name = [](std::uint64_t sequence) { return layout::log_entry("default", TimelineId{1}, sequence); };
  const Bytes second = store_.get(name(2), kMiB).value();
  store_.overwrite(name(2), store_.get(name(3), kMiB).value());
  EXPECT_EQ(kind_of(read(state, {TimelineId{1}, redis::Offset{0}}, std::nullopt)), ErrorKind::kDataLoss);
  ASSERT_TRUE(store_.remove(name(2)).has_value());
  const auto hole = read(state, {TimelineId{1}, redis::Offset{0}}, std::nullopt);
  ASSERT_EQ(kind_of(hole), ErrorKind::kDataLoss);
  EXPECT_NE(hole.error().message().find(name(2)), std::string::npos);
  // A well-formed entry of the right name and place that continues another history.
  MemoryStore elsewhere(clock_);
  elsewhere.overwrite(layout::config(), store_.get(layout::config(), kMiB).value());
  TestSource other(elsewhere, repository_, clock_, random_);
  other.open_first();
  other.append("aaaaa");
  other.append("XXXXX");
  store_.overwrite(name(2), elsewhere.get(name(2), kMiB).value());
  EXPECT_EQ(kind_of(read(state, {TimelineId{1}, redis::Offset{0}}, std::nullopt)), ErrorKind::kDataLoss);
  store_.overwrite(name(2), second);
  EXPECT_TRUE(read(state, {TimelineId{1}, redis::Offset{0}}, std::nullopt).has_value());
}

TEST_F(LogReaderTest, WhatExpireTookMeanwhileIsNotFoundWithTheWayOn) {
  writer_.open_first();
  append(3);
  announce(writer_.pack());
  const SourceState old = writer_.load();
  CheckpointDelta retire;
  retire.retired_packs = old.timelines[0].packs;
  retire.first_kept[1] = {4, redis::Offset{15}};
  append(1);
  writer_.checkpoint(retire);
  const PackInfo& pack = old.timelines[0].packs[0];
  ASSERT_TRUE(
      store_.remove(layout::pack("default", TimelineId{1}, pack.first_sequence, pack.last_sequence)).has_value());
  const auto gone = read(old, {TimelineId{1}, redis::Offset{0}}, std::nullopt);
  ASSERT_EQ(kind_of(gone), ErrorKind::kNotFound);
  EXPECT_NE(gone.error().hint().find("again"), std::string::npos);
  EXPECT_EQ(kind_of(read(0)), ErrorKind::kNotFound);
  EXPECT_EQ(read(15).value(), "ddddd");
}

TEST_F(LogReaderTest, IndexesAreVisitedInOrderPacksAndUnpackedEntries) {
  writer_.open_first();
  for (int i = 0; i < 10; ++i) {
    append(1);
    announce(writer_.pack());
  }
  append(2);
  const SourceState state = writer_.load();
  std::vector<std::uint64_t> lasts;
  int packed = 0;
  const Status visited =
      for_each_index(store_, repository_, state, {TimelineId{1}, redis::Offset{0}}, {TimelineId{1}, redis::Offset{60}},
                     [&](const IndexedStretch& stretch) -> Status {
                       packed += stretch.pack_object.empty() ? 0 : 1;
                       for (const IndexedEntry& entry : stretch.index.entries) lasts.push_back(entry.last.value);
                       return {};
                     });
  ASSERT_TRUE(visited.has_value()) << visited.error().to_string();
  EXPECT_EQ(packed, 10);
  EXPECT_TRUE(std::is_sorted(lasts.begin(), lasts.end()));
  EXPECT_EQ(lasts.size(), 13U);
}

TEST_F(LogReaderTest, AnIndexOrAnUnpackedEntryThatIsLostIsDataLossByItsName) {
  writer_.open_first();
  append(3);
  const PackInfo pack = writer_.pack();
  announce(pack);
  append(2);
  const SourceState state = writer_.load();
  const auto visit = [&] {
    return for_each_index(store_, repository_, state, {TimelineId{1}, {}}, {TimelineId{1}, redis::Offset{60}},
                          [](const IndexedStretch&) -> Status { return {}; });
  };
  ASSERT_TRUE(visit().has_value());
  for (const std::string& name : {layout::pack("default", TimelineId{1}, pack.first_sequence, pack.last_sequence),
                                  layout::log_entry("default", TimelineId{1}, pack.last_sequence + 1)}) {
    const Bytes whole = store_.get(name, kMiB).value();
    ASSERT_TRUE(store_.remove(name).has_value());
    const Status lost = visit();
    ASSERT_FALSE(lost.has_value());
    EXPECT_EQ(lost.error().kind(), ErrorKind::kDataLoss) << lost.error().to_string();
    EXPECT_NE(lost.error().message().find(name + " is missing"), std::string::npos) << lost.error().to_string();
    EXPECT_NE(lost.error().hint().find("anclora verify"), std::string::npos) << lost.error().to_string();
    store_.overwrite(name, whole);
  }
}

TEST_F(LogReaderTest, AnIndexIsReadWithoutTheRestOfItsPack) {
  writer_.open_first();
  SeededRandom noise(1);
  for (int i = 0; i < 4; ++i) writer_.append(noise.bytes(256 * kKiB));
  announce(writer_.pack());
  FaultyStore counted(store_, clock_);
  const SourceState state = writer_.load();
  ASSERT_TRUE(for_each_index(counted, repository_, state, {TimelineId{1}, redis::Offset{0}},
                             {TimelineId{1}, redis::Offset{1}}, [](const IndexedStretch&) -> Status { return {}; })
                  .has_value());
  EXPECT_EQ(counted.request_count(), 1U);
  EXPECT_EQ(counted.requests()[0].operation, StoreOperation::kGetRange);
  EXPECT_EQ(read(0).value().size(), std::size_t{1} * kMiB);
}

TEST_F(LogReaderTest, APackIsAdoptedWhenItHoldsTheSameEntriesAndRefusedOtherwise) {
  TemporaryDirectory folder;
  writer_.open_first();
  append(3);
  const PackInfo first = writer_.pack();
  PackBuilder again(store_, repository_, posix_file_system(), folder / "packs", "default", random_);
  const SourceState state = writer_.load();
  ASSERT_TRUE(for_each_unpacked(store_, repository_, state, [&](const UnpackedEntry& entry) {
                return again.add(entry.object_name, entry.object, entry.opened, clock_.mono_now());
              }).has_value());
  const auto adopted = again.close({});
  ASSERT_TRUE(adopted.has_value()) << adopted.error().to_string();
  EXPECT_EQ(adopted->last_hash, first.last_hash);
  EXPECT_EQ(adopted->stored_bytes, first.stored_bytes);

  store_.overwrite(layout::pack("default", TimelineId{1}, 0, 3), "something else altogether, long enough for a pack");
  PackBuilder third(store_, repository_, posix_file_system(), folder / "packs", "default", random_);
  ASSERT_TRUE(for_each_unpacked(store_, repository_, state, [&](const UnpackedEntry& entry) {
                return third.add(entry.object_name, entry.object, entry.opened, clock_.mono_now());
              }).has_value());
  EXPECT_EQ(kind_of(third.close({})), ErrorKind::kDataLoss);
}

TEST_F(LogReaderTest, APackWhosePutFailedIsPutAgain) {
  TemporaryDirectory folder;
  FaultyStore faulty(store_, clock_);
  PackBuilder builder(faulty, repository_, posix_file_system(), folder / "packs", "default", random_);
  writer_.open_first();
  append(3);
  for (const SealedEntry& entry : writer_.entries()) ASSERT_TRUE(builder.add(entry, clock_.mono_now()).has_value());
  EXPECT_FALSE(builder.due(clock_.mono_now()));
  clock_.advance(kPackAge);
  EXPECT_TRUE(builder.due(clock_.mono_now()));
  faulty.schedule(1, {StoreFault::Kind::kErrorBefore});
  faulty.schedule(2, {StoreFault::Kind::kErrorAfter});
  EXPECT_EQ(kind_of(builder.close({})), ErrorKind::kUnavailable);
  EXPECT_EQ(kind_of(builder.close({})), ErrorKind::kUnavailable);
  const auto pack = builder.close({});
  ASSERT_TRUE(pack.has_value()) << pack.error().to_string();
  EXPECT_TRUE(builder.empty());
  EXPECT_TRUE(posix_file_system().list(folder / "packs")->empty());
  announce(*pack);
  EXPECT_EQ(read(0).value(), "aaaaabbbbbccccc");
}

TEST_F(LogReaderTest, APackTakesEntriesInOrderOnlyAndEndsWithItsTimeline) {
  TemporaryDirectory folder;
  PackBuilder builder(store_, repository_, posix_file_system(), folder / "packs", "default", random_);
  writer_.open_first();
  append(2);
  writer_.append_kind(EntryKind::kClosed);
  const auto& entries = writer_.entries();
  ASSERT_TRUE(builder.add(entries[0], clock_.mono_now()).has_value());
  EXPECT_EQ(kind_of(builder.add(entries[2], clock_.mono_now())), ErrorKind::kInternal);
  ASSERT_TRUE(builder.add(entries[1], clock_.mono_now()).has_value());
  ASSERT_TRUE(builder.add(entries[2], clock_.mono_now()).has_value());
  ASSERT_TRUE(builder.add(entries[3], clock_.mono_now()).has_value());
  EXPECT_TRUE(builder.due(clock_.mono_now()));
  EXPECT_EQ(kind_of(builder.add(entries[3], clock_.mono_now())), ErrorKind::kFailedPrecondition);
  EXPECT_EQ(builder.close({})->last_sequence, 3U);
}

}  // namespace
}  // namespace anclora::storage
