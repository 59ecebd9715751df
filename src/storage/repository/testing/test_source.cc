#include "storage/repository/testing/test_source.h"

#include <gtest/gtest.h>

#include "redis/rdb/crc64.h"

namespace anclora::storage {

Bytes tiny_rdb(std::string_view text) {
  ByteWriter rdb;
  rdb.raw("REDIS0011");
  for (const auto& [name, value] :
       {std::pair<std::string_view, std::string_view>{"redis-ver", "7.2.4"}, {"used-mem", "1000"}}) {
    rdb.u8(0xfa);
    rdb.sized(name);
    rdb.sized(value);
  }
  for (std::size_t at = 0; at < text.size(); at += 60) {
    rdb.u8(0);  // a string: key, value
    rdb.sized("key" + std::to_string(at));
    rdb.sized(text.substr(at, 60));
  }
  rdb.u8(0xff);
  rdb.u64(redis::crc64(0, rdb.bytes()));
  return rdb.take();
}

Repository make_plain_repository(AppendStore& store, Clock& clock, Random& random) {
  InitOptions options;
  options.encrypted = false;
  const auto made = Repository::init(store, options, clock, random);
  EXPECT_TRUE(made.has_value()) << made.error().to_string();
  auto opened = Repository::open(store, {});
  EXPECT_TRUE(opened.has_value()) << opened.error().to_string();
  return *opened;
}

TestSource::TestSource(AppendStore& store, const Repository& repository, ManualClock& clock, Random& random,
                       std::string name)
    : store_(store),
      repository_(repository),
      clock_(clock),
      random_(random),
      name_(std::move(name)),
      sealer_(std::make_unique<EntrySealer>(repository, name_, ChainTip{}, Incarnation{1}, HolderId{2}, random)),
      publisher_(store, repository),
      packs_(store, repository, posix_file_system(), folder_.path() + "/packs", name_, random) {}

void TestSource::publish(const SealedEntry& entry) {
  const Status published = publisher_.publish(entry);
  ASSERT_TRUE(published.has_value()) << published.error().to_string();
  const Status packed = packs_.add(entry, clock_.mono_now());
  ASSERT_TRUE(packed.has_value()) << packed.error().to_string();
  entries_.push_back(entry);
}

void TestSource::open(const Origin& origin, redis::Offset start, std::string replication_id) {
  auto sealed = sealer_->open_timeline(origin, start, std::move(replication_id), "test",
                                       {start, clock_.wall_now(), clock_.mono_now()});
  ASSERT_TRUE(sealed.has_value()) << sealed.error().to_string();
  for (const SealedEntry& entry : *sealed) {
    if (entry.entry.kind == EntryKind::kOpened && !packs_.empty()) packs_.discard();
    publish(entry);
  }
  const LogEntry& entry = sealed->back().entry;
  opened_ = TimelineState();
  opened_.id = entry.timeline;
  opened_.origin = origin;
  opened_.replication_id = entry.replication_id;
  opened_.start = opened_.first_kept = start;
  opened_.opened = entry.marks.front().wall;
}

LogEntry TestSource::draft(EntryKind kind) {
  clock_.advance(std::chrono::milliseconds(100));
  LogEntry entry;
  entry.kind = kind;
  entry.first = entry.last = entry.boundary = sealer_->tip().last;
  entry.source_offset = entry.first;
  entry.marks = {{entry.first, clock_.wall_now(), clock_.mono_now()}};
  return entry;
}

SealedEntry TestSource::append(ByteView bytes) {
  LogEntry entry = draft(EntryKind::kStream);
  entry.bytes = bytes;
  entry.last = entry.boundary = entry.first + bytes.size();
  if (!bytes.empty()) entry.first_command = entry.first;
  entry.source_offset = entry.last;
  auto sealed = sealer_->seal(std::move(entry));
  EXPECT_TRUE(sealed.has_value()) << sealed.error().to_string();
  publish(*sealed);
  return *sealed;
}

void TestSource::append_kind(EntryKind kind, std::string text) {
  LogEntry entry = draft(kind);
  if (kind == EntryKind::kBaseComplete) entry.base = text;
  if (kind == EntryKind::kRename) entry.new_replication_id = text;
  if (kind == EntryKind::kClaim || kind == EntryKind::kClosed) entry.note = text;
  auto sealed = sealer_->seal(std::move(entry));
  ASSERT_TRUE(sealed.has_value()) << sealed.error().to_string();
  publish(*sealed);
}

BaseInfo TestSource::base(ByteView rdb, std::string origin, std::uint32_t attempt) {
  const std::string spool = folder_.path() + "/base";
  BaseEncoder encoder(repository_, posix_file_system(), spool, name_, tip().timeline, tip().last, attempt, random_);
  EXPECT_TRUE(encoder.write(rdb).has_value());
  auto info = encoder.finish(clock_.wall_now(), std::move(origin), 0);
  EXPECT_TRUE(info.has_value()) << info.error().to_string();
  for (const BaseEncoder::Part& part : encoder.take_ready()) {
    const Status put = publish_part(store_, posix_file_system(), part);
    EXPECT_TRUE(put.has_value()) << put.error().to_string();
  }
  append_kind(EntryKind::kBaseComplete, info->name);
  return *info;
}

PackInfo TestSource::pack() {
  auto pack = packs_.close({});
  EXPECT_TRUE(pack.has_value()) << pack.error().to_string();
  return pack ? *pack : PackInfo();
}

std::uint64_t TestSource::checkpoint(const CheckpointDelta& delta, bool full) {
  const auto ordinal = write_checkpoint(store_, repository_, name_, delta, clock_, random_, full);
  EXPECT_TRUE(ordinal.has_value()) << ordinal.error().to_string();
  return ordinal.value_or(0);
}

SourceState TestSource::load() {
  auto state = load_source_state(store_, repository_, name_);
  EXPECT_TRUE(state.has_value()) << state.error().to_string();
  return state ? *state : SourceState();
}

}  // namespace anclora::storage
