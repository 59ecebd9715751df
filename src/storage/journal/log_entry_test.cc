#include "storage/journal/log_entry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace anclora::storage {
namespace {

constexpr std::uint64_t kSeed = 20261124;
using Generator = std::mt19937_64;

std::uint64_t pick(Generator& random, std::uint64_t below) { return random() % below; }

std::string hex_id(Generator& random) {
  std::string id;
  for (int i = 0; i < 40; ++i) id.push_back("0123456789abcdef"[pick(random, 16)]);
  return id;
}

Bytes random_bytes(Generator& random, std::size_t size) {
  Bytes bytes;
  for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(random()));
  return bytes;
}

template <std::size_t N>
std::array<std::uint8_t, N> random_array(Generator& random) {
  std::array<std::uint8_t, N> array{};
  for (auto& byte : array) byte = static_cast<std::uint8_t>(random());
  return array;
}

WallTime random_wall(Generator& random) { return WallTime(Duration(static_cast<std::int64_t>(random()))); }

void add_key_counts(Generator& random, LogEntry& entry) {
  KeyCounts& counts = entry.key_counts.emplace();
  counts.offset.value = pick(random, entry.last.value + 1);
  for (std::uint32_t database = 0; pick(random, 4) != 0; database += 1 + static_cast<std::uint32_t>(pick(random, 9)))
    counts.databases.push_back({database, random()});
}

void add_event(Generator& random, LogEntry& entry) {
  if (entry.kind == EntryKind::kOpened) {
    entry.origin = Origin{static_cast<OriginKind>(1 + pick(random, 3)),
                          Position{TimelineId{static_cast<std::uint32_t>(random())}, redis::Offset{random()}},
                          random_wall(random), "replication id changed"};
    if (pick(random, 2) == 0) entry.closed_hash = random_array<32>(random);
  }
  if (entry.kind == EntryKind::kBaseComplete) entry.base = "1048577-" + std::to_string(pick(random, 10));
  if (entry.kind == EntryKind::kRename) entry.new_replication_id = hex_id(random);
  if (entry.kind == EntryKind::kClaim || entry.kind == EntryKind::kClosed) entry.note = random_bytes(random, 20);
}

LogEntry random_entry(Generator& random) {
  LogEntry entry;
  entry.kind = static_cast<EntryKind>(1 + pick(random, 6));
  entry.predecessor = random_array<32>(random);
  entry.timeline.value = 1 + static_cast<std::uint32_t>(pick(random, 0xffffffff));
  entry.sequence = random() >> pick(random, 64);
  entry.incarnation = random_array<16>(random);
  entry.holder = random_array<16>(random);
  entry.epoch = random() >> pick(random, 64);
  if (pick(random, 8) != 0) entry.replication_id = hex_id(random);
  if (entry.kind == EntryKind::kStream) entry.bytes = random_bytes(random, pick(random, 200));
  entry.first.value = (random() >> (1 + pick(random, 60)));
  entry.last = entry.first + entry.bytes.size();
  entry.database = static_cast<std::uint32_t>(random());
  if (pick(random, 2) == 0) entry.open_multi = redis::Offset{pick(random, entry.first.value + 1)};
  entry.pending_bytes = random() >> pick(random, 64);
  if (pick(random, 2) == 0) entry.first_command = entry.first + pick(random, entry.bytes.size() + 1);
  entry.boundary.value = pick(random, entry.last.value + 1);
  for (std::uint64_t at = 0; at <= entry.bytes.size() && pick(random, 5) != 0; at += pick(random, 50))
    entry.marks.push_back(
        {entry.first + at, random_wall(random), MonoTime(Duration(static_cast<std::int64_t>(random())))});
  entry.source_offset.value = random();
  entry.catching_up = pick(random, 2) == 0;
  add_event(random, entry);
  if (entry.kind == EntryKind::kStream && pick(random, 2) == 0) add_key_counts(random, entry);
  return entry;
}

void expect_equal(const LogEntry& a, const LogEntry& b) {
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.predecessor, b.predecessor);
  EXPECT_EQ(a.timeline, b.timeline);
  EXPECT_EQ(a.sequence, b.sequence);
  EXPECT_EQ(a.incarnation, b.incarnation);
  EXPECT_EQ(a.holder, b.holder);
  EXPECT_EQ(a.epoch, b.epoch);
  EXPECT_EQ(a.replication_id, b.replication_id);
  EXPECT_EQ(a.first, b.first);
  EXPECT_EQ(a.last, b.last);
  EXPECT_EQ(a.database, b.database);
  EXPECT_EQ(a.open_multi, b.open_multi);
  EXPECT_EQ(a.pending_bytes, b.pending_bytes);
  EXPECT_EQ(a.first_command, b.first_command);
  EXPECT_EQ(a.boundary, b.boundary);
  EXPECT_TRUE(std::equal(a.marks.begin(), a.marks.end(), b.marks.begin(), b.marks.end(),
                         [](const TimeMark& x, const TimeMark& y) {
                           return x.offset == y.offset && x.wall == y.wall && x.mono == y.mono;
                         }));
  EXPECT_EQ(a.source_offset, b.source_offset);
  EXPECT_EQ(a.catching_up, b.catching_up);
  ASSERT_EQ(a.origin.has_value(), b.origin.has_value());
  if (a.origin) {
    EXPECT_EQ(a.origin->kind, b.origin->kind);
    EXPECT_EQ(a.origin->previous, b.origin->previous);
    EXPECT_EQ(a.origin->previous_time, b.origin->previous_time);
    EXPECT_EQ(a.origin->reason, b.origin->reason);
  }
  EXPECT_EQ(a.closed_hash, b.closed_hash);
  EXPECT_EQ(a.base, b.base);
  EXPECT_EQ(a.new_replication_id, b.new_replication_id);
  EXPECT_EQ(a.note, b.note);
  EXPECT_EQ(a.bytes, b.bytes);
}

LogEntry stream_entry() {
  LogEntry entry;
  entry.timeline.value = 1;
  entry.first.value = 100;
  entry.bytes = "*1\r\n$4\r\nPING\r\n";
  entry.last = entry.first + entry.bytes.size();
  entry.boundary = entry.last;
  return entry;
}

void expect_refused(const LogEntry& entry, std::string_view field) {
  const auto decoded = decode_log_entry(encode_log_entry(entry));
  ASSERT_FALSE(decoded.has_value()) << field;
  EXPECT_EQ(decoded.error().kind(), ErrorKind::kDataLoss);
  EXPECT_NE(decoded.error().message().find("\"" + std::string(field) + "\""), std::string::npos)
      << decoded.error().message();
}

TEST(LogEntry, RoundTripsExactly) {
  Generator random(kSeed);
  for (int i = 0; i < 3000; ++i) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ", entry " + std::to_string(i));
    const LogEntry entry = random_entry(random);
    const Bytes content = encode_log_entry(entry);
    const auto decoded = decode_log_entry(content);
    ASSERT_TRUE(decoded.has_value()) << decoded.error().message();
    expect_equal(entry, *decoded);
    EXPECT_EQ(encode_log_entry(*decoded), content);
  }
}

TEST(LogEntry, RefusesEveryTruncatedPrefixNamingAField) {
  Generator random(kSeed + 1);
  for (int i = 0; i < 60; ++i) {
    const Bytes content = encode_log_entry(random_entry(random));
    for (std::size_t size = 0; size < content.size(); ++size) {
      const auto decoded = decode_log_entry(ByteView(content).substr(0, size));
      ASSERT_FALSE(decoded.has_value()) << "entry " << i << " cut to " << size;
      ASSERT_NE(decoded.error().message().find("log entry: field"), std::string::npos);
    }
  }
}

TEST(LogEntry, RefusesBytesAfterItsEnd) {
  EXPECT_FALSE(decode_log_entry(encode_log_entry(stream_entry()) + "x").has_value());
}

TEST(LogEntry, SurvivesFlippedBytesAndGivesBackOnlyWhatItWouldWrite) {
  Generator random(kSeed + 2);
  for (int i = 0; i < 20000; ++i) {
    Bytes content = encode_log_entry(random_entry(random));
    for (std::uint64_t flips = 1 + pick(random, 3); flips > 0; --flips)
      content[pick(random, content.size())] = static_cast<char>(random());
    const auto decoded = decode_log_entry(content);
    if (decoded.has_value()) {
      const auto again = decode_log_entry(encode_log_entry(*decoded));
      ASSERT_TRUE(again.has_value()) << again.error().message();
      expect_equal(*decoded, *again);
    }
  }
}

TEST(LogEntry, RefusesANewerVersionSayingWhatToInstall) {
  Bytes content = encode_log_entry(stream_entry());
  content[0] = 2;
  const auto decoded = decode_log_entry(content);
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error().kind(), ErrorKind::kUnsupported);
  EXPECT_NE(decoded.error().hint().find("install"), std::string::npos);
}

TEST(LogEntry, RefusesFieldsThatContradictEachOther) {
  LogEntry entry = stream_entry();
  entry.last = entry.last + 1;
  expect_refused(entry, "bytes");
  entry = stream_entry();
  entry.last.value = 3;
  expect_refused(entry, "last");
  entry = stream_entry();
  entry.boundary = entry.last + 1;
  expect_refused(entry, "boundary");
  entry = stream_entry();
  entry.open_multi = entry.first + 1;
  expect_refused(entry, "open_multi");
  entry = stream_entry();
  entry.first_command = entry.last + 1;
  expect_refused(entry, "first_command");
  entry = stream_entry();
  entry.marks = {{entry.last + 1, WallTime(), MonoTime()}};
  expect_refused(entry, "marks");
  entry = stream_entry();
  entry.marks = {{entry.first + 2, WallTime(), MonoTime()}, {entry.first + 1, WallTime(), MonoTime()}};
  expect_refused(entry, "marks");
  entry = stream_entry();
  entry.timeline.value = 0;
  expect_refused(entry, "timeline");
  entry = stream_entry();
  entry.replication_id = "abc";
  expect_refused(entry, "replication_id");
}

TEST(LogEntry, RefusesTheFieldsOfAnotherKind) {
  LogEntry entry = stream_entry();
  entry.origin = Origin{};
  expect_refused(entry, "origin");
  entry = stream_entry();
  entry.closed_hash = Hash256{};
  expect_refused(entry, "closed_hash");
  entry = stream_entry();
  entry.base = "1-1";
  expect_refused(entry, "base");
  entry = stream_entry();
  entry.new_replication_id = std::string(40, 'a');
  expect_refused(entry, "new_replication_id");
  entry = stream_entry();
  entry.kind = EntryKind::kClaim;
  expect_refused(entry, "bytes");
  for (const auto& [kind, field] : {std::pair{EntryKind::kOpened, "origin"},
                                    {EntryKind::kBaseComplete, "base"},
                                    {EntryKind::kRename, "new_replication_id"}}) {
    entry = stream_entry();
    entry.kind = kind;
    entry.bytes.clear();
    entry.last = entry.first;
    entry.boundary = entry.first;
    expect_refused(entry, field);
  }
}

TEST(LogEntry, RefusesMoreStreamThanItsLimit) {
  LogEntry entry = stream_entry();
  entry.bytes.assign(kMaxEntryBytes + 1, 'x');
  entry.last = entry.first + entry.bytes.size();
  expect_refused(entry, "bytes");
  entry.bytes.pop_back();
  entry.last = entry.first + entry.bytes.size();
  const Bytes content = encode_log_entry(entry);
  EXPECT_TRUE(decode_log_entry(content).has_value());
  EXPECT_LE(content.size(), kMaxEntryContentBytes);
}

TEST(LogEntry, CutsTextThatIsTooLongInsteadOfBecomingUnreadable) {
  LogEntry entry = stream_entry();
  entry.note.assign(kMaxEntryTextBytes + 100, 'n');
  const auto decoded = decode_log_entry(encode_log_entry(entry));
  ASSERT_TRUE(decoded.has_value()) << decoded.error().message();
  EXPECT_EQ(decoded->note.size(), kMaxEntryTextBytes);
}

}  // namespace
}  // namespace anclora::storage
