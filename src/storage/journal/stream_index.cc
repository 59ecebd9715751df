#include "storage/journal/stream_index.h"

#include <algorithm>

#include "storage/journal/key_filter.h"
#include "storage/journal/newer_format.h"
#include "storage/journal/time_mark_codec.h"

namespace anclora::storage {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kAllKeysKnown = 1;
constexpr std::uint8_t kAllDangersKept = 2;
// The least that one of each takes, so that a declared count cannot reserve more than the bytes that are there.
constexpr std::size_t kMinEntryBytes = 44;
constexpr std::size_t kMinDangerBytes = 17;

Error wrong(std::string_view field, std::string_view why) {
  return Error(ErrorKind::kDataLoss, "stream index: field \"" + std::string(field) + "\": " + std::string(why));
}

template <class T>
Result<T> named(Result<T> result, std::string_view field) {
  if (result.has_value()) return result;
  return wrong(field, result.error().message());
}

void encode_entry(ByteWriter& writer, const IndexedEntry& entry) {
  writer.varint(entry.sequence);
  writer.varint(entry.first.value);
  writer.varint(entry.last.value);
  writer.varint(entry.boundary.value);
  encode_wall_time(writer, entry.time);
  writer.raw(entry.hash);
}

Result<IndexedEntry> decode_entry(ByteReader& reader) {
  IndexedEntry entry;
  ASSIGN_OR_RETURN(entry.sequence, reader.varint());
  ASSIGN_OR_RETURN(entry.first.value, reader.varint());
  ASSIGN_OR_RETURN(entry.last.value, reader.varint());
  ASSIGN_OR_RETURN(entry.boundary.value, reader.varint());
  ASSIGN_OR_RETURN(entry.time, decode_wall_time(reader));
  ASSIGN_OR_RETURN(entry.hash, reader.hash());
  if (entry.last < entry.first) return Error(ErrorKind::kDataLoss, "an entry ends before it begins");
  return entry;
}

void encode_danger(ByteWriter& writer, const Danger& danger) {
  writer.u8(static_cast<std::uint8_t>(danger.kind));
  writer.varint(danger.before.value);
  writer.varint(danger.last.value);
  encode_wall_time(writer, danger.time);
  writer.u32(danger.database);
  writer.varint(danger.keys);
  writer.sized(std::string_view(danger.detail).substr(0, kMaxIndexTextBytes));
}

Result<Danger> decode_danger(ByteReader& reader) {
  Danger danger{};
  ASSIGN_OR_RETURN(const std::uint8_t kind, reader.u8());
  if (kind < static_cast<std::uint8_t>(DangerKind::kFlushAll) ||
      kind > static_cast<std::uint8_t>(DangerKind::kMassDeletion))
    return Error(ErrorKind::kDataLoss, std::to_string(kind) + " is not a kind");
  danger.kind = static_cast<DangerKind>(kind);
  ASSIGN_OR_RETURN(danger.before.value, reader.varint());
  ASSIGN_OR_RETURN(danger.last.value, reader.varint());
  ASSIGN_OR_RETURN(danger.time, decode_wall_time(reader));
  ASSIGN_OR_RETURN(danger.database, reader.u32());
  ASSIGN_OR_RETURN(danger.keys, reader.varint());
  ASSIGN_OR_RETURN(const ByteView detail, reader.sized());
  if (detail.size() > kMaxIndexTextBytes) return Error(ErrorKind::kDataLoss, "a text is too long");
  danger.detail = detail;
  return danger;
}

template <class T>
Result<std::vector<T>> decode_list(ByteReader& reader, std::size_t limit, std::size_t min_bytes,
                                   Result<T> (*decode)(ByteReader&)) {
  ASSIGN_OR_RETURN(const std::uint64_t count, reader.varint());
  if (count > limit || count > reader.rest().size() / min_bytes)
    return Error(ErrorKind::kDataLoss, "more than there can be");
  std::vector<T> list;
  list.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(T item, decode(reader));
    list.push_back(std::move(item));
  }
  return list;
}

Result<std::map<std::string, std::uint64_t>> decode_commands(ByteReader& reader) {
  ASSIGN_OR_RETURN(const std::uint64_t count, reader.varint());
  if (count > kMaxIndexCommands) return Error(ErrorKind::kDataLoss, "more than there can be");
  std::map<std::string, std::uint64_t> commands;
  for (std::uint64_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(const ByteView name, reader.sized());
    ASSIGN_OR_RETURN(const std::uint64_t times, reader.varint());
    if (name.size() > kMaxIndexTextBytes) return Error(ErrorKind::kDataLoss, "a name is too long");
    if (!commands.emplace(name, times).second) return Error(ErrorKind::kDataLoss, "a name stands there twice");
  }
  return commands;
}

Status check_version(ByteReader& reader) {
  ASSIGN_OR_RETURN(const std::uint8_t version, named(reader.u8(), "version"));
  if (version == 0) return wrong("version", "0 is not a version");
  if (version == kVersion) return {};
  return newer_version("stream index", version, kVersion);
}

}  // namespace

Bytes encode_stream_index(const StreamIndex& index) {
  ByteWriter writer;
  writer.u8(kVersion);
  writer.u8(static_cast<std::uint8_t>((index.all_keys_known ? kAllKeysKnown : 0) |
                                      (index.all_dangers_kept ? kAllDangersKept : 0)));
  writer.varint(index.entries.size());
  for (const IndexedEntry& entry : index.entries) encode_entry(writer, entry);
  encode_time_marks(writer, redis::Offset{0}, index.marks);
  writer.varint(index.dangers.size());
  for (const Danger& danger : index.dangers) encode_danger(writer, danger);
  writer.varint(index.commands.size());
  for (const auto& [name, times] : index.commands) {
    writer.sized(name);
    writer.varint(times);
  }
  writer.sized(index.key_filter);
  return writer.take();
}

Result<StreamIndex> decode_stream_index(ByteView bytes) {
  ByteReader reader(bytes);
  StreamIndex index;
  RETURN_IF_ERROR(check_version(reader));
  ASSIGN_OR_RETURN(const std::uint8_t flags, named(reader.u8(), "flags"));
  if ((flags & ~(kAllKeysKnown | kAllDangersKept)) != 0) return wrong("flags", "unknown bits are set");
  index.all_keys_known = (flags & kAllKeysKnown) != 0;
  index.all_dangers_kept = (flags & kAllDangersKept) != 0;
  ASSIGN_OR_RETURN(index.entries,
                   named(decode_list(reader, kMaxIndexEntries, kMinEntryBytes, decode_entry), "entries"));
  ASSIGN_OR_RETURN(index.marks, named(decode_time_marks(reader, redis::Offset{0}, kMaxIndexMarks), "marks"));
  ASSIGN_OR_RETURN(index.dangers,
                   named(decode_list(reader, kMaxIndexDangers, kMinDangerBytes, decode_danger), "dangers"));
  ASSIGN_OR_RETURN(index.commands, named(decode_commands(reader), "commands"));
  ASSIGN_OR_RETURN(const ByteView filter, named(reader.sized(), "key_filter"));
  if (!is_valid_key_filter(filter)) return wrong("key_filter", "of an impossible size");
  index.key_filter = filter;
  if (!reader.at_end()) return wrong("key_filter", "something follows the last field");
  return index;
}

bool may_contain_key(const StreamIndex& index, std::string_view key_or_prefix) {
  return !index.all_keys_known || key_filter_may_contain(index.key_filter, key_or_prefix);
}

}  // namespace anclora::storage
