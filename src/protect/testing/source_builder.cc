#include "protect/testing/source_builder.h"

#include <fmt/format.h>

#include <stdexcept>

#include "base/testing/temporary_directory.h"
#include "protect/find/entry_indexer.h"
#include "redis/rdb/crc64.h"
#include "redis/resp/reply.h"
#include "storage/journal/pack.h"
#include "storage/repository/base_writer.h"

namespace anclora::protect {
namespace {

template <class T>
T must(Result<T> result) {
  if (!result.has_value()) throw std::runtime_error(result.error().to_string());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

MonoTime mono_of(WallTime time) { return MonoTime(std::chrono::microseconds(time.time_since_epoch().count())); }

}  // namespace

Bytes empty_rdb(unsigned version) {
  Bytes rdb = fmt::format("REDIS{:04}", version);
  rdb += '\xff';
  const std::uint64_t crc = redis::crc64(0, rdb);
  for (int i = 0; i < 8; ++i) rdb += static_cast<char>(crc >> (8 * i) & 0xff);
  return rdb;
}

SourceBuilder::SourceBuilder(std::string source, bool encrypted) : source_(std::move(source)) {
  storage::InitOptions options;
  options.encrypted = encrypted;
  if (encrypted) options.passphrase = Secret("a passphrase for tests");
  must(storage::Repository::init(store_, options, clock_, random_));
  storage::Unlock unlock;
  unlock.passphrase = options.passphrase;
  repository_ = must(storage::Repository::open(store_, unlock));
  storage::Incarnation incarnation{};
  incarnation.fill(7);
  storage::HolderId holder{};
  holder.fill(9);
  sealer_ =
      std::make_unique<storage::EntrySealer>(*repository_, source_, storage::ChainTip{}, incarnation, holder, random_);
  publisher_ = std::make_unique<storage::LogPublisher>(store_, *repository_);
}

void SourceBuilder::publish(const storage::SealedEntry& entry) {
  must(publisher_->publish(entry));
  unpacked_.push_back(entry);
}

void SourceBuilder::checkpoint(const storage::CheckpointDelta& delta) {
  must(storage::write_checkpoint(store_, *repository_, source_, delta, clock_, random_));
}

void SourceBuilder::open_timeline(redis::Offset offset, WallTime time, const storage::Origin& origin) {
  if (builder_) seal();
  const std::string replication_id(40, 'a');
  storage::CheckpointDelta delta;
  for (const auto& entry :
       must(sealer_->open_timeline(origin, offset, replication_id, "test", {offset, time, mono_of(time)}))) {
    if (entry.entry.kind == storage::EntryKind::kClosed)
      delta.ends.push_back(storage::timeline_end(entry.entry, entry.hash));
    if (entry.entry.kind == storage::EntryKind::kOpened) unpacked_.clear();
    publish(entry);
  }
  redis::StreamState start;
  start.offset = start.boundary = offset;
  builder_ = std::make_unique<EntryBuilder>(redis::CommandParser(start), replication_id);
  last_time_ = time;
  storage::TimelineState state;
  state.id = timeline();
  state.origin = origin;
  state.replication_id = replication_id;
  state.start = state.first_kept = offset;
  state.opened = time;
  delta.opened.push_back(state);
  checkpoint(delta);
}

storage::BaseInfo SourceBuilder::base(ByteView rdb, WallTime time, std::uint32_t database) {
  seal();
  const TemporaryDirectory spool;
  storage::BaseEncoder encoder(*repository_, posix_file_system(), spool.path(), source_, timeline(), end(), 0, random_);
  must(encoder.write(rdb));
  storage::BaseInfo info = must(encoder.finish(time, "source", database));
  for (const auto& part : encoder.take_ready()) must(storage::publish_part(store_, posix_file_system(), part));
  storage::LogEntry entry = builder_->take(true, time, mono_of(time)).entry;
  entry.kind = storage::EntryKind::kBaseComplete;
  entry.base = info.name;
  publish(must(sealer_->seal(std::move(entry))));
  storage::CheckpointDelta delta;
  delta.bases.push_back(info);
  checkpoint(delta);
  return info;
}

void SourceBuilder::stream(ByteView bytes, WallTime time) {
  must(builder_->add(bytes, time, mono_of(time)));
  last_time_ = time;
}

void SourceBuilder::command(std::initializer_list<std::string_view> words, WallTime time) {
  stream(redis::build_command(words), time);
}

void SourceBuilder::seal() {
  if (builder_->held_bytes() == 0) return;
  storage::LogEntry entry = builder_->take(true, last_time_, mono_of(last_time_)).entry;
  entry.key_counts = std::exchange(key_counts_, std::nullopt);
  publish(must(sealer_->seal(std::move(entry))));
}

void SourceBuilder::sign_of_life(WallTime time) {
  seal();
  storage::LogEntry entry = builder_->take(true, time, mono_of(time)).entry;
  entry.key_counts = std::exchange(key_counts_, std::nullopt);
  publish(must(sealer_->seal(std::move(entry))));
  last_time_ = time;
}

storage::PackInfo SourceBuilder::pack() {
  seal();
  storage::FrameCompressor compressor(storage::FrameTuning::kCommands);
  Bytes object;
  storage::PackInfo info;
  info.timeline = timeline();
  info.first_sequence = unpacked_.front().entry.sequence;
  info.last_sequence = unpacked_.back().entry.sequence;
  info.first = unpacked_.front().entry.first;
  info.last = unpacked_.back().entry.last;
  info.first_time = unpacked_.front().entry.marks.empty() ? last_time_ : unpacked_.front().entry.marks.front().wall;
  info.last_time = last_time_;
  info.predecessor = unpacked_.front().entry.predecessor;
  info.last_hash = unpacked_.back().hash;
  const std::string name = storage::layout::pack(source_, timeline(), info.first_sequence, info.last_sequence);
  const std::string log = storage::layout::log_entry(source_, timeline(), info.first_sequence);
  storage::PackWriter writer(repository_->key(), log.substr(0, log.rfind('/') + 1), info.first_sequence, compressor,
                             random_, [&](ByteView bytes) -> Status {
                               object.append(bytes);
                               return {};
                             });
  EntryIndexer indexer;
  for (const storage::SealedEntry& sealed : unpacked_) {
    must(sealed.content.empty() ? writer.add_object(sealed.object) : writer.add(sealed.content));
    const Bytes content = must(storage::open_object(repository_->key(), sealed.object_name, sealed.object));
    const storage::LogEntry entry = must(storage::decode_log_entry(content));
    indexer.add(entry, sealed.hash);
  }
  must(writer.finish(name, indexer.take()));
  must(store_.put_if_absent(name, object));
  info.stored_bytes = object.size();
  unpacked_.clear();
  storage::CheckpointDelta delta;
  delta.packs.push_back(info);
  checkpoint(delta);
  return info;
}

redis::Offset SourceBuilder::end() const { return builder_->received(); }
storage::TimelineId SourceBuilder::timeline() const { return sealer_->tip().timeline; }

SourceView SourceBuilder::view() {
  state_ = must(storage::load_source_state(store_, *repository_, source_));
  return {store_, *repository_, *state_};
}

RestoreInput SourceBuilder::input(storage::Position position) {
  const SourceView source = view();
  return {&store_, &*repository_, source.state, must(route_to(source.state, position))};
}

}  // namespace anclora::protect
