#include "storage/repository/log_writer.h"

#include <gtest/gtest.h>

#include "storage/repository/testing/test_source.h"
#include "storage/store/faulty_store.h"
#include "storage/store/memory_store.h"

namespace anclora::storage {
namespace {

template <class T>
ErrorKind kind_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result ? ErrorKind::kInternal : result.error().kind();
}

class LogWriter : public ::testing::Test {
 protected:
  EntrySealer sealer(std::uint8_t writer, const std::optional<Head>& head = std::nullopt) {
    return EntrySealer(repository_, "default", tip_after(head), Incarnation{writer}, HolderId{writer}, random_);
  }
  TimeMark now(std::uint64_t offset = 0) { return {redis::Offset{offset}, clock_.wall_now(), clock_.mono_now()}; }
  LogEntry stream(const EntrySealer& sealer, std::string bytes) {
    LogEntry entry;
    entry.first = entry.boundary = sealer.tip().last;
    entry.last = entry.boundary = entry.first + bytes.size();
    entry.source_offset = entry.last;
    entry.marks = {now(entry.first.value)};
    entry.bytes = std::move(bytes);
    return entry;
  }
  SealedEntry open_first(EntrySealer& sealer) {
    return sealer.open_timeline(Origin{}, redis::Offset{10}, std::string(40, 'a'), "", now(10)).value().front();
  }
  SealedEntry claim(EntrySealer& sealer, std::string note = {}) {
    LogEntry entry = stream(sealer, "");
    entry.kind = EntryKind::kClaim;
    entry.note = std::move(note);
    return sealer.seal(std::move(entry)).value();
  }
  std::optional<Head> head() { return load_source_state(store_, repository_, "default")->head; }

  ManualClock clock_;
  MemoryStore store_{clock_};
  SeededRandom random_{11};
  Repository repository_ = make_plain_repository(store_, clock_, random_);
};

TEST_F(LogWriter, EntriesFormAChain) {
  EntrySealer writer = sealer(1);
  const SealedEntry opened = open_first(writer);
  EXPECT_EQ(opened.entry.predecessor, Hash256{});
  EXPECT_EQ(opened.entry.epoch, 1U);
  EXPECT_EQ(opened.object_name, layout::log_entry("default", TimelineId{1}, 0));
  const SealedEntry first = writer.seal(stream(writer, "abc")).value();
  EXPECT_EQ(first.entry.predecessor, opened.hash);
  EXPECT_EQ(first.entry.sequence, 1U);
  EXPECT_EQ(first.entry.replication_id, std::string(40, 'a'));
  const SealedEntry taken = claim(writer);
  EXPECT_EQ(taken.entry.epoch, 2U);
  EXPECT_EQ(writer.tip().last, redis::Offset{13});
  EXPECT_EQ(open_object(repository_.key(), first.object_name, first.object).value(), first.content);
}

TEST_F(LogWriter, ALargeEntryIsNamedByItsFramesWhereverTheyWereCut) {
  EntrySealer writer = sealer(1);
  open_first(writer);
  Bytes bytes;
  while (bytes.size() < kEntryFrameBytes + 300 * kKiB) bytes += "SET " + std::to_string(bytes.size()) + "\r\n";
  UnsealedEntry unsealed{stream(writer, bytes), {}};
  FrameCompressor compressor(FrameTuning::kCommands);
  unsealed.frames = *compressor.compress(ByteView(bytes).substr(0, 100'000));
  unsealed.entry.bytes.erase(0, 100'000);
  const SealedEntry large = writer.seal(std::move(unsealed)).value();
  EXPECT_TRUE(large.content.empty());
  const OpenedEntry opened = open_entry_object(repository_.key(), large.object_name, large.object).value();
  EXPECT_EQ(opened.hash, large.hash);
  EXPECT_NE(opened.hash, hash256(opened.content));
  EXPECT_EQ(decode_log_entry(opened.content)->bytes, bytes);
  const SealedEntry next = writer.seal(stream(writer, "abc")).value();
  EXPECT_EQ(next.entry.predecessor, large.hash);
  EXPECT_EQ(next.hash, hash256(next.content));
}

TEST_F(LogWriter, AHoleOrAnOverlapCannotBeSealed) {
  EntrySealer writer = sealer(1);
  EXPECT_EQ(kind_of(writer.seal(stream(writer, "x"))), ErrorKind::kInternal);  // no timeline is open
  open_first(writer);
  LogEntry hole = stream(writer, "abc");
  hole.first = hole.first + 1;
  hole.last = hole.last + 1;
  EXPECT_EQ(kind_of(writer.seal(hole)), ErrorKind::kInternal);
  LogEntry short_bytes = stream(writer, "abc");
  short_bytes.last = short_bytes.last + 1;
  EXPECT_EQ(kind_of(writer.seal(short_bytes)), ErrorKind::kInternal);
}

TEST_F(LogWriter, ANewTimelineClosesTheOldOneAndNamesItsEnd) {
  EntrySealer writer = sealer(1);
  open_first(writer);
  Origin gap{OriginKind::kGap, {TimelineId{1}, redis::Offset{10}}, clock_.wall_now(), "full resync"};
  const auto entries =
      writer.open_timeline(gap, redis::Offset{500}, std::string(40, 'b'), "full resync", now(500)).value();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].entry.kind, EntryKind::kClosed);
  EXPECT_EQ(entries[0].entry.sequence, 1U);
  EXPECT_EQ(entries[1].entry.kind, EntryKind::kOpened);
  EXPECT_EQ(entries[1].entry.timeline, TimelineId{2});
  EXPECT_EQ(entries[1].entry.sequence, 0U);
  EXPECT_EQ(entries[1].entry.predecessor, entries[0].hash);
  EXPECT_EQ(entries[1].entry.closed_hash, entries[0].hash);
  EXPECT_EQ(writer.tip().replication_id, std::string(40, 'b'));
}

TEST_F(LogWriter, GoesOnAfterATimelineThatWasClosedJustBeforeACrash) {
  EntrySealer writer = sealer(1);
  LogPublisher publisher(store_, repository_);
  ASSERT_TRUE(publisher.publish(open_first(writer)).has_value());
  LogEntry closed = stream(writer, "");
  closed.kind = EntryKind::kClosed;
  ASSERT_TRUE(publisher.publish(writer.seal(closed).value()).has_value());
  EntrySealer next = sealer(2, head());
  EXPECT_TRUE(next.tip().closed);
  EXPECT_EQ(kind_of(next.seal(stream(next, "x"))), ErrorKind::kInternal);
  const auto entries =
      next.open_timeline(Origin{OriginKind::kGap, {}, {}, ""}, redis::Offset{1}, std::string(40, 'b'), "", now(1));
  ASSERT_EQ(entries->size(), 1U);
  LogPublisher second(store_, repository_);
  EXPECT_TRUE(second.publish(entries->front()).has_value());
  EXPECT_EQ(head()->timeline, TimelineId{2});
}

TEST_F(LogWriter, ALostReplyIsSettledByReadingTheNameBack) {
  FaultyStore faulty(store_, clock_);
  EntrySealer writer = sealer(1);
  LogPublisher publisher(faulty, repository_);
  faulty.decide([](const StoreRequest& request) -> std::optional<StoreFault> {
    if (request.operation != StoreOperation::kPut) return std::nullopt;
    return StoreFault{StoreFault::Kind::kErrorAfter, ErrorKind::kDeadlineExceeded};
  });
  EXPECT_TRUE(publisher.publish(open_first(writer)).has_value());
  EXPECT_TRUE(publisher.publish(writer.seal(stream(writer, "abc")).value()).has_value());
  EXPECT_EQ(head()->sequence, 1U);
}

TEST_F(LogWriter, APutThatDidNotHappenIsCalledAgainWithTheSameEntry) {
  FaultyStore faulty(store_, clock_);
  EntrySealer writer = sealer(1);
  LogPublisher publisher(faulty, repository_);
  const SealedEntry opened = open_first(writer);
  bool failing = true;
  faulty.decide([&](const StoreRequest& request) -> std::optional<StoreFault> {
    if (!failing || request.operation != StoreOperation::kPut) return std::nullopt;
    return StoreFault{StoreFault::Kind::kErrorBefore, ErrorKind::kUnavailable};
  });
  EXPECT_EQ(kind_of(publisher.publish(opened)), ErrorKind::kUnavailable);
  failing = false;
  EXPECT_TRUE(publisher.publish(opened).has_value());
  EXPECT_TRUE(publisher.publish(opened).has_value());  // once more changes nothing
}

TEST_F(LogWriter, ForeignBytesUnderTheNextNameFenceAndNameTheOther) {
  EntrySealer first = sealer(1);
  LogPublisher publisher(store_, repository_);
  ASSERT_TRUE(publisher.publish(open_first(first)).has_value());
  EntrySealer second = sealer(2, head());
  LogPublisher other(store_, repository_);
  ASSERT_TRUE(other.publish(claim(second)).has_value());
  const Status fenced = publisher.publish(first.seal(stream(first, "abc")).value());
  ASSERT_EQ(kind_of(fenced), ErrorKind::kFenced);
  EXPECT_NE(fenced.error().message().find("02000000"), std::string::npos) << fenced.error().message();
}

TEST_F(LogWriter, BytesThatAreNoEntryAreDataLossNotAFence) {
  EntrySealer writer = sealer(1);
  LogPublisher publisher(store_, repository_);
  const SealedEntry opened = open_first(writer);
  ASSERT_TRUE(store_.put_if_absent(opened.object_name, "garbage").has_value());
  EXPECT_EQ(kind_of(publisher.publish(opened)), ErrorKind::kDataLoss);
}

// Rule 5: while a writer slept, another went on and expire emptied the names behind it.
TEST_F(LogWriter, AWriterThatSleptDoesNotFindItsNameFree) {
  EntrySealer first = sealer(1);
  LogPublisher publisher(store_, repository_);
  ASSERT_TRUE(publisher.publish(open_first(first)).has_value());
  ASSERT_TRUE(publisher.publish(first.seal(stream(first, "abc")).value()).has_value());
  EntrySealer second = sealer(2, head());
  LogPublisher other(store_, repository_);
  ASSERT_TRUE(other.publish(claim(second)).has_value());
  ASSERT_TRUE(other.publish(second.seal(stream(second, "def")).value()).has_value());
  clock_.advance(std::chrono::hours(2));
  for (std::uint64_t sequence = 0; sequence < 3; ++sequence)
    ASSERT_TRUE(store_.remove(layout::log_entry("default", TimelineId{1}, sequence)).has_value());
  const Status woken = publisher.publish(first.seal(stream(first, "xyz")).value());
  EXPECT_EQ(kind_of(woken), ErrorKind::kFailedPrecondition);
}

// A snapshot that was rolled back, a bucket that was replicated late.
TEST_F(LogWriter, NothingIsPutBehindAHoleWhenTheRepositoryIsReplacedByAnOlderCopyOfItself) {
  EntrySealer writer = sealer(1);
  LogPublisher publisher(store_, repository_);
  ASSERT_TRUE(publisher.publish(open_first(writer)).has_value());
  ASSERT_TRUE(publisher.publish(writer.seal(stream(writer, "abc")).value()).has_value());
  ASSERT_TRUE(publisher.publish(writer.seal(stream(writer, "def")).value()).has_value());
  ASSERT_TRUE(store_.remove(layout::log_entry("default", TimelineId{1}, 2)).has_value());
  const SealedEntry next = writer.seal(stream(writer, "ghi")).value();
  const Status refused = publisher.publish(next);
  ASSERT_EQ(kind_of(refused), ErrorKind::kFailedPrecondition);
  EXPECT_NE(refused.error().message().find("older copy"), std::string::npos) << refused.error().message();
  EXPECT_EQ(kind_of(store_.head(next.object_name)), ErrorKind::kNotFound);
}

TEST_F(LogWriter, AWriterThatSleptAloneGoesOn) {
  EntrySealer writer = sealer(1);
  LogPublisher publisher(store_, repository_);
  ASSERT_TRUE(publisher.publish(open_first(writer)).has_value());
  clock_.advance(std::chrono::hours(48));
  EXPECT_TRUE(publisher.publish(writer.seal(stream(writer, "abc")).value()).has_value());
}

TEST_F(LogWriter, AnOldOutboxDoesNotStartBehindAnExpiredLog) {
  EntrySealer writer = sealer(1);
  open_first(writer);
  const SealedEntry old = writer.seal(stream(writer, "abc")).value();
  LogPublisher publisher(store_, repository_);
  EXPECT_EQ(kind_of(publisher.publish(old)), ErrorKind::kFailedPrecondition);
  EXPECT_EQ(kind_of(store_.head(old.object_name)), ErrorKind::kNotFound);
}

// Two captures begin the same log at once, and one has put its base already when the other looks.
TEST_F(LogWriter, TheSecondToBeginALogIsFencedByTheFirstAndItsBase) {
  EntrySealer first = sealer(1);
  EntrySealer second = sealer(2);
  const SealedEntry begun = open_first(first);
  const SealedEntry late = open_first(second);
  LogPublisher publisher(store_, repository_);
  ASSERT_TRUE(publisher.publish(begun).has_value());
  ASSERT_TRUE(store_.put_if_absent(layout::base_part("default", TimelineId{1}, "base", 1), "part").has_value());
  LogPublisher other(store_, repository_);
  EXPECT_EQ(kind_of(other.publish(late)), ErrorKind::kFenced);
}

TEST_F(LogWriter, AnOldOutboxWhoseEntriesAreThereIsSettledEvenWhenTheOnesBeforeAreGone) {
  EntrySealer writer = sealer(1);
  LogPublisher publisher(store_, repository_);
  ASSERT_TRUE(publisher.publish(open_first(writer)).has_value());
  const SealedEntry last = writer.seal(stream(writer, "abc")).value();
  ASSERT_TRUE(publisher.publish(last).has_value());
  clock_.advance(std::chrono::hours(30));
  ASSERT_TRUE(store_.remove(layout::log_entry("default", TimelineId{1}, 0)).has_value());
  LogPublisher restarted(store_, repository_);
  EXPECT_TRUE(restarted.publish(last).has_value());
  EXPECT_TRUE(restarted.publish(writer.seal(stream(writer, "def")).value()).has_value());
}

TEST_F(LogWriter, NothingIsPutIntoAnotherRepositoryThatTookThePlaceOfItsOwn) {
  EntrySealer writer = sealer(1);
  LogPublisher publisher(store_, repository_);
  ASSERT_TRUE(publisher.publish(open_first(writer)).has_value());
  const SealedEntry entry = writer.seal(stream(writer, "abc")).value();
  const Bytes config = store_.get(layout::config(), kMiB).value();

  ASSERT_TRUE(store_.remove(layout::config()).has_value());
  EXPECT_EQ(kind_of(publisher.publish(entry)), ErrorKind::kUnavailable);
  MemoryStore other(clock_);
  make_plain_repository(other, clock_, random_);
  store_.overwrite(layout::config(), other.get(layout::config(), kMiB).value());
  EXPECT_EQ(kind_of(publisher.publish(entry)), ErrorKind::kFailedPrecondition);
  EXPECT_EQ(kind_of(store_.get(entry.object_name, kMiB)), ErrorKind::kNotFound);

  store_.overwrite(layout::config(), config);
  EXPECT_TRUE(publisher.publish(entry).has_value());
}

TEST_F(LogWriter, TakingOverWaitsForThirtySecondsOfSilence) {
  EntrySealer writer = sealer(1);
  LogPublisher publisher(store_, repository_);
  ASSERT_TRUE(publisher.publish(open_first(writer)).has_value());
  EXPECT_TRUE(may_take_over(store_, head(), HolderId{1}).has_value());
  clock_.advance(std::chrono::seconds(29));
  const Status refused = may_take_over(store_, head(), HolderId{2});
  ASSERT_EQ(kind_of(refused), ErrorKind::kFenced);
  EXPECT_NE(refused.error().hint().find("1"), std::string::npos);
  clock_.advance(std::chrono::seconds(1));
  EXPECT_TRUE(may_take_over(store_, head(), HolderId{2}).has_value());
  EXPECT_TRUE(may_take_over(store_, std::nullopt, HolderId{2}).has_value());
}

TEST_F(LogWriter, AReleasedLogIsTakenOverAtOnce) {
  EntrySealer writer = sealer(1);
  LogPublisher publisher(store_, repository_);
  ASSERT_TRUE(publisher.publish(open_first(writer)).has_value());
  ASSERT_TRUE(publisher.publish(claim(writer, std::string(kReleasedNote))).has_value());
  EXPECT_TRUE(may_take_over(store_, head(), HolderId{2}).has_value());
}

}  // namespace
}  // namespace anclora::storage
