#include "storage/journal/log_entry.h"

#include <algorithm>

#include "storage/journal/newer_format.h"
#include "storage/journal/time_mark_codec.h"

namespace anclora::storage {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kReplicationIdBytes = 40;

enum Flag : std::uint8_t {
  kHasOpenMulti = 1,
  kHasFirstCommand = 2,
  kCatchingUp = 4,
  kHasOrigin = 8,
  kHasClosedHash = 16,
  kHasKeyCounts = 32,
};
constexpr std::uint8_t kAllFlags = 63;

Error wrong(std::string_view field, std::string_view why) {
  return Error(ErrorKind::kDataLoss, "log entry: field \"" + std::string(field) + "\": " + std::string(why));
}

template <class T>
Result<T> named(Result<T> result, std::string_view field) {
  if (result.has_value()) return result;
  return wrong(field, result.error().message());
}

ByteView view(const std::array<std::uint8_t, 16>& id) {
  return ByteView(reinterpret_cast<const char*>(id.data()), id.size());
}

bool is_replication_id(std::string_view text) {
  return text.size() == kReplicationIdBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

void encode_text(ByteWriter& writer, std::string_view text) { writer.sized(text.substr(0, kMaxEntryTextBytes)); }

// Decodes field by field into `entry`; each step names its field when it fails.
class Decoder {
 public:
  explicit Decoder(ByteView content) : reader_(content) {}
  Result<LogEntry> run();

 private:
  Status head();
  Status identity();
  Status stream_state();
  Status marks();
  Status event();
  Status check() const;
  Status number(std::string_view field, std::uint64_t& value);
  Status offset(std::string_view field, redis::Offset& value) { return number(field, value.value); }
  Status text(std::string_view field, std::string& value, std::size_t limit);
  Status id(std::string_view field, std::array<std::uint8_t, 16>& value);
  Status origin();
  Status key_counts();

  ByteReader reader_;
  LogEntry entry_;
  std::uint8_t flags_ = 0;
};

Status Decoder::number(std::string_view field, std::uint64_t& value) {
  ASSIGN_OR_RETURN(value, named(reader_.varint(), field));
  return {};
}

Status Decoder::text(std::string_view field, std::string& value, std::size_t limit) {
  ASSIGN_OR_RETURN(const ByteView bytes, named(reader_.sized(), field));
  if (bytes.size() > limit) return wrong(field, "longer than " + std::to_string(limit) + " bytes");
  value = bytes;
  return {};
}

Status Decoder::id(std::string_view field, std::array<std::uint8_t, 16>& value) {
  ASSIGN_OR_RETURN(const ByteView bytes, named(reader_.raw(value.size()), field));
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(value.data()));
  return {};
}

Status Decoder::head() {
  ASSIGN_OR_RETURN(const std::uint8_t version, named(reader_.u8(), "version"));
  if (version == 0) return wrong("version", "0 is not a version");
  if (version > kVersion) return newer_version("log entry", version, kVersion);
  ASSIGN_OR_RETURN(const std::uint8_t kind, named(reader_.u8(), "kind"));
  if (kind < static_cast<std::uint8_t>(EntryKind::kOpened) || kind > static_cast<std::uint8_t>(EntryKind::kClosed))
    return wrong("kind", std::to_string(kind) + " is not a kind");
  entry_.kind = static_cast<EntryKind>(kind);
  ASSIGN_OR_RETURN(flags_, named(reader_.u8(), "flags"));
  if ((flags_ & ~kAllFlags) != 0) return wrong("flags", "unknown bits are set");
  return {};
}

Status Decoder::identity() {
  ASSIGN_OR_RETURN(entry_.predecessor, named(reader_.hash(), "predecessor"));
  ASSIGN_OR_RETURN(entry_.timeline.value, named(reader_.u32(), "timeline"));
  RETURN_IF_ERROR(number("sequence", entry_.sequence));
  RETURN_IF_ERROR(id("incarnation", entry_.incarnation));
  RETURN_IF_ERROR(id("holder", entry_.holder));
  RETURN_IF_ERROR(number("epoch", entry_.epoch));
  return text("replication_id", entry_.replication_id, kReplicationIdBytes);
}

Status Decoder::stream_state() {
  RETURN_IF_ERROR(offset("first", entry_.first));
  RETURN_IF_ERROR(offset("last", entry_.last));
  ASSIGN_OR_RETURN(entry_.database, named(reader_.u32(), "database"));
  if ((flags_ & kHasOpenMulti) != 0) RETURN_IF_ERROR(offset("open_multi", entry_.open_multi.emplace()));
  RETURN_IF_ERROR(number("pending_bytes", entry_.pending_bytes));
  if ((flags_ & kHasFirstCommand) != 0) RETURN_IF_ERROR(offset("first_command", entry_.first_command.emplace()));
  RETURN_IF_ERROR(offset("boundary", entry_.boundary));
  RETURN_IF_ERROR(offset("source_offset", entry_.source_offset));
  entry_.catching_up = (flags_ & kCatchingUp) != 0;
  return {};
}

Status Decoder::marks() {
  ASSIGN_OR_RETURN(entry_.marks, named(decode_time_marks(reader_, entry_.first, kMaxEntryMarks), "marks"));
  if (!entry_.marks.empty() && entry_.marks.back().offset > entry_.last)
    return wrong("marks", "one lies after the entry's last byte");
  return {};
}

Status Decoder::origin() {
  Origin& origin = entry_.origin.emplace();
  ASSIGN_OR_RETURN(const std::uint8_t kind, named(reader_.u8(), "origin.kind"));
  if (kind < static_cast<std::uint8_t>(OriginKind::kFirst) || kind > static_cast<std::uint8_t>(OriginKind::kFork))
    return wrong("origin.kind", std::to_string(kind) + " is not a kind");
  origin.kind = static_cast<OriginKind>(kind);
  ASSIGN_OR_RETURN(origin.previous.timeline.value, named(reader_.u32(), "origin.previous"));
  RETURN_IF_ERROR(offset("origin.previous", origin.previous.offset));
  ASSIGN_OR_RETURN(origin.previous_time, named(decode_wall_time(reader_), "origin.previous_time"));
  return text("origin.reason", origin.reason, kMaxEntryTextBytes);
}

Status Decoder::key_counts() {
  KeyCounts& counts = entry_.key_counts.emplace();
  RETURN_IF_ERROR(offset("key_counts", counts.offset));
  std::uint64_t count = 0;
  RETURN_IF_ERROR(number("key_counts", count));
  if (count > kMaxEntryKeyCounts) return wrong("key_counts", "too many databases");
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t database = 0, keys = 0;
    RETURN_IF_ERROR(number("key_counts", database));
    RETURN_IF_ERROR(number("key_counts", keys));
    if (database > UINT32_MAX || (i > 0 && database <= counts.databases.back().database))
      return wrong("key_counts", "the databases do not ascend");
    counts.databases.push_back({static_cast<std::uint32_t>(database), keys});
  }
  return {};
}

Status Decoder::event() {
  if ((flags_ & kHasOrigin) != 0) RETURN_IF_ERROR(origin());
  if ((flags_ & kHasClosedHash) != 0) {
    ASSIGN_OR_RETURN(entry_.closed_hash.emplace(), named(reader_.hash(), "closed_hash"));
  }
  if ((flags_ & kHasKeyCounts) != 0) RETURN_IF_ERROR(key_counts());
  RETURN_IF_ERROR(text("base", entry_.base, kMaxEntryTextBytes));
  RETURN_IF_ERROR(text("new_replication_id", entry_.new_replication_id, kReplicationIdBytes));
  RETURN_IF_ERROR(text("note", entry_.note, kMaxEntryTextBytes));
  RETURN_IF_ERROR(text("bytes", entry_.bytes, kMaxEntryBytes));
  if (!reader_.at_end()) return wrong("bytes", "something follows the last field");
  return {};
}

Status Decoder::check() const {
  if (entry_.timeline.value == 0) return wrong("timeline", "0 is not a timeline");
  if (!entry_.replication_id.empty() && !is_replication_id(entry_.replication_id))
    return wrong("replication_id", "not 40 hexadecimal digits");
  if (entry_.last - entry_.first != entry_.bytes.size())
    return wrong("bytes", "their number is not that between the first and the last offset");
  if (!entry_.bytes.empty() && entry_.kind != EntryKind::kStream) return wrong("bytes", "in an entry without stream");
  if (entry_.boundary > entry_.last) return wrong("boundary", "after the last byte");
  if (entry_.open_multi && *entry_.open_multi > entry_.first) return wrong("open_multi", "after the first byte");
  if (entry_.first_command && (*entry_.first_command < entry_.first || *entry_.first_command > entry_.last))
    return wrong("first_command", "outside of the entry");
  if (entry_.key_counts && (entry_.kind != EntryKind::kStream || entry_.key_counts->offset > entry_.last))
    return wrong("key_counts", "after the last byte, or in an entry that is no stream");
  const bool opened = entry_.kind == EntryKind::kOpened;
  if (entry_.origin.has_value() != opened) return wrong("origin", "belongs into the first entry of a timeline");
  if (entry_.closed_hash && !opened) return wrong("closed_hash", "belongs into the first entry of a timeline");
  if (entry_.base.empty() == (entry_.kind == EntryKind::kBaseComplete))
    return wrong("base", "belongs into an entry that announces a base");
  const bool renamed = entry_.kind == EntryKind::kRename;
  if (renamed ? !is_replication_id(entry_.new_replication_id) : !entry_.new_replication_id.empty())
    return wrong("new_replication_id", "belongs into a rename and has 40 hexadecimal digits");
  return {};
}

Result<LogEntry> Decoder::run() {
  RETURN_IF_ERROR(head());
  RETURN_IF_ERROR(identity());
  RETURN_IF_ERROR(stream_state());
  if (entry_.last < entry_.first) return wrong("last", "before the first offset");
  RETURN_IF_ERROR(marks());
  RETURN_IF_ERROR(event());
  RETURN_IF_ERROR(check());
  return std::move(entry_);
}

}  // namespace

Bytes encode_log_entry(const LogEntry& entry) {
  Bytes content = encode_log_entry_head(entry, entry.bytes.size());
  content += entry.bytes;
  return content;
}

Bytes encode_log_entry_head(const LogEntry& entry, std::uint64_t stream_bytes) {
  const bool key_counts = entry.key_counts && entry.key_counts->databases.size() <= kMaxEntryKeyCounts;
  ByteWriter writer;
  writer.u8(kVersion);
  writer.u8(static_cast<std::uint8_t>(entry.kind));
  writer.u8(static_cast<std::uint8_t>((entry.open_multi ? kHasOpenMulti : 0) |
                                      (entry.first_command ? kHasFirstCommand : 0) |
                                      (entry.catching_up ? kCatchingUp : 0) | (entry.origin ? kHasOrigin : 0) |
                                      (entry.closed_hash ? kHasClosedHash : 0) | (key_counts ? kHasKeyCounts : 0)));
  writer.raw(entry.predecessor);
  writer.u32(entry.timeline.value);
  writer.varint(entry.sequence);
  writer.raw(view(entry.incarnation));
  writer.raw(view(entry.holder));
  writer.varint(entry.epoch);
  writer.sized(entry.replication_id);
  writer.varint(entry.first.value);
  writer.varint(entry.last.value);
  writer.u32(entry.database);
  if (entry.open_multi) writer.varint(entry.open_multi->value);
  writer.varint(entry.pending_bytes);
  if (entry.first_command) writer.varint(entry.first_command->value);
  writer.varint(entry.boundary.value);
  writer.varint(entry.source_offset.value);
  encode_time_marks(writer, entry.first, entry.marks);
  if (entry.origin) {
    writer.u8(static_cast<std::uint8_t>(entry.origin->kind));
    writer.u32(entry.origin->previous.timeline.value);
    writer.varint(entry.origin->previous.offset.value);
    encode_wall_time(writer, entry.origin->previous_time);
    encode_text(writer, entry.origin->reason);
  }
  if (entry.closed_hash) writer.raw(*entry.closed_hash);
  if (key_counts) {
    writer.varint(entry.key_counts->offset.value);
    writer.varint(entry.key_counts->databases.size());
    for (const KeyCounts::Database& one : entry.key_counts->databases) {
      writer.varint(one.database);
      writer.varint(one.keys);
    }
  }
  encode_text(writer, entry.base);
  writer.sized(entry.new_replication_id);
  encode_text(writer, entry.note);
  writer.varint(stream_bytes);
  return writer.take();
}

Result<LogEntry> decode_log_entry(ByteView content) { return Decoder(content).run(); }

}  // namespace anclora::storage
