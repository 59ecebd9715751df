#include "storage/repository/pack_builder.h"

#include <fmt/format.h>

#include <algorithm>

#include "redis/rdb/crc64.h"
#include "storage/journal/pack.h"
#include "storage/repository/pack_stream.h"
#include "storage/repository/sealed_object.h"
#include "storage/repository/stored_entry.h"

namespace anclora::storage {
namespace {

constexpr std::string_view kFilePrefix = "pack-";
constexpr std::size_t kCheckPieceBytes = kMiB;

bool may_have_happened(const Error& error) {
  return error.kind() == ErrorKind::kUnavailable || error.kind() == ErrorKind::kDeadlineExceeded;
}

// Onto the disk piece by piece, so that what is synced beside it need not wait for all of it.
constexpr std::uint64_t kSyncEveryBytes = 4 * kMiB;

// The pack as it lies in its file: a folder on the same file system gives it a second name and copies nothing.
class PackBody final : public Body {
 public:
  PackBody(FileSystem& files, std::string path, WritableFile& written, const Body& bytes)
      : files_(files), path_(std::move(path)), written_(written), bytes_(bytes) {}
  std::uint64_t size_bytes() const override { return bytes_.size_bytes(); }
  Result<Bytes> read(std::uint64_t offset, std::size_t size) const override { return bytes_.read(offset, size); }
  Result<std::string> durable_file(FileSystem& files) const override {
    if (&files != &files_) return std::string();
    RETURN_IF_ERROR(written_.sync());
    return path_;
  }

 private:
  FileSystem& files_;
  const std::string path_;
  WritableFile& written_;
  const Body& bytes_;
};

}  // namespace

struct PackBuilder::State {
  AppendStore& store;
  const Repository& repository;
  FileSystem& files;
  std::string folder;
  std::string source;
  Random& random;
  Duration age;
  FrameCompressor compressor{repository.command_tuning()};
  std::unique_ptr<WritableFile> file{};
  std::string path{};
  std::unique_ptr<PackWriter> writer{};
  std::uint64_t crc64 = 0;  // of what was written: against faults between here and the put
  std::vector<IndexedEntry> entries{};
  std::uint64_t object_bytes = 0;
  std::uint64_t unsynced_bytes = 0;
  MonoTime started{};
  bool closed_timeline = false;
  bool folder_ready = false;
  bool ended = false;  // the pack is written and waits for its put
  PackInfo pack{};

  std::string pack_name() const { return layout::pack(source, pack.timeline, pack.first_sequence, pack.last_sequence); }
  Status prepare_folder();
  Status begin(const LogEntry& entry, MonoTime now);
  Status append(ByteView bytes);
  Status add(const std::string& name, ByteView object, ByteView content, const LogEntry& entry, const Hash256& hash,
             MonoTime now);
  Status end(const StreamIndex& index);
  Status check_file() const;
  Status put();
  Status adopt();
  void reset();
};

PackBuilder::PackBuilder(AppendStore& store, const Repository& repository, FileSystem& files, std::string folder,
                         std::string source, Random& random, Duration age)
    : state_(new State{store, repository, files, std::move(folder), std::move(source), random, age}) {}
PackBuilder::~PackBuilder() = default;

Status PackBuilder::State::prepare_folder() {
  if (folder_ready) return {};
  RETURN_IF_ERROR(files.create_directories(folder));
  ASSIGN_OR_RETURN(const std::vector<FileInfo> left, files.list(folder));
  for (const FileInfo& each : left)
    if (each.is_regular && each.name.starts_with(kFilePrefix)) RETURN_IF_ERROR(files.remove(folder + "/" + each.name));
  folder_ready = true;
  return {};
}

Status PackBuilder::State::begin(const LogEntry& entry, MonoTime now) {
  RETURN_IF_ERROR(prepare_folder());
  path = fmt::format("{}/{}{:010}-{:020}", folder, kFilePrefix, entry.timeline.value, entry.sequence);
  ASSIGN_OR_RETURN(file, files.create(path));
  crc64 = 0;
  const std::string first = layout::log_entry(source, entry.timeline, entry.sequence);
  unsynced_bytes = 0;
  writer = std::make_unique<PackWriter>(repository.key(), first.substr(0, first.rfind('/') + 1), entry.sequence,
                                        compressor, random, [this](ByteView bytes) { return append(bytes); });
  started = now;
  pack = PackInfo();
  pack.timeline = entry.timeline;
  pack.first_sequence = entry.sequence;
  pack.first = entry.first;
  pack.predecessor = entry.predecessor;
  if (!entry.marks.empty()) pack.first_time = entry.marks.front().wall;
  pack.last_time = pack.first_time;
  return {};
}

Status PackBuilder::State::append(ByteView bytes) {
  crc64 = redis::crc64(crc64, bytes);
  RETURN_IF_ERROR(file->append(bytes));
  unsynced_bytes += bytes.size();
  if (unsynced_bytes < kSyncEveryBytes) return {};
  unsynced_bytes = 0;
  return file->sync();
}

Status PackBuilder::State::add(const std::string& name, ByteView object, ByteView content, const LogEntry& entry,
                               const Hash256& hash, MonoTime now) {
  if (ended || closed_timeline || object_bytes >= kPackCloseBytes)
    return Error(ErrorKind::kFailedPrecondition, pack_name() + " is full: it must be closed first");
  if (entries.empty()) {
    RETURN_IF_ERROR(begin(entry, now));
  } else if (entry.timeline != pack.timeline || entry.sequence != pack.last_sequence + 1 ||
             entry.predecessor != pack.last_hash) {
    return Error(ErrorKind::kInternal, fmt::format("{} does not follow the entry before it", name));
  }
  const bool large = content.empty() || content.size() >= kLargeEntryBytes;
  if (Status added = large ? writer->add_object(object) : writer->add(content); !added) {
    reset();
    return added;
  }
  entries.push_back({entry.sequence, entry.first, entry.last, entry.boundary,
                     entry.marks.empty() ? pack.last_time : entry.marks.front().wall, hash});
  object_bytes += object.size();
  pack.last_sequence = entry.sequence;
  pack.last = entry.last;
  pack.last_hash = hash;
  if (!entry.marks.empty()) pack.last_time = entry.marks.back().wall;
  closed_timeline = entry.kind == EntryKind::kClosed;
  return {};
}

Status PackBuilder::add(const SealedEntry& entry, MonoTime now) {
  return state_->add(entry.object_name, entry.object, entry.content, entry.entry, entry.hash, now);
}

Status PackBuilder::add(const std::string& object_name, ByteView object, const OpenedEntry& opened, MonoTime now) {
  ASSIGN_OR_RETURN(const LogEntry entry, decode_log_entry(opened.content));
  return state_->add(object_name, object, opened.content, entry, opened.hash, now);
}

bool PackBuilder::empty() const { return state_->entries.empty(); }

bool PackBuilder::due(MonoTime now) const {
  const State& state = *state_;
  if (state.entries.empty()) return false;
  return state.closed_timeline || state.object_bytes >= kPackCloseBytes || now - state.started >= state.age;
}

void PackBuilder::discard() { state_->reset(); }

void PackBuilder::State::reset() {
  writer.reset();
  file.reset();
  // Left files are removed by the next run too: a failure here loses nothing.
  if (!path.empty()) ignore_result(files.remove(path));
  path.clear();
  entries.clear();
  object_bytes = 0;
  closed_timeline = false;
  ended = false;
}

Status PackBuilder::State::end(const StreamIndex& index) {
  RETURN_IF_ERROR(writer->finish(pack_name(), index));
  pack.stored_bytes = writer->bytes_written();
  RETURN_IF_ERROR(check_file());
  ended = true;
  return {};
}

// What was sealed was opened again and compared before it was written; this finds what the file lost of it.
Status PackBuilder::State::check_file() const {
  ASSIGN_OR_RETURN(const std::unique_ptr<ReadableFile> written, files.open(path));
  if (written->size_bytes() != pack.stored_bytes)
    return Error(ErrorKind::kDataLoss, path + " is not as long as was written");
  std::uint64_t found = 0;
  for (std::uint64_t at = 0; at < pack.stored_bytes;) {
    const std::size_t size = std::min<std::uint64_t>(kCheckPieceBytes, pack.stored_bytes - at);
    ASSIGN_OR_RETURN(const Bytes piece, written->read(at, size));
    found = redis::crc64(found, piece);
    at += size;
  }
  if (found == crc64) return {};
  return Error(ErrorKind::kDataLoss, path + " does not hold what was written to it",
               "this points to a faulty disk or memory: look at the disk that holds the outbox");
}

Status PackBuilder::State::put() {
  const std::string name = pack_name();
  ASSIGN_OR_RETURN(const std::unique_ptr<Body> body, file_body(files, path));
  Result<PutOutcome> outcome = store.put_if_absent(name, PackBody(files, path, *file, *body));
  if (!outcome) return outcome.error().with_context(name);
  return *outcome == PutOutcome::kCreated ? Status() : adopt();
}

// Another pack of this name: an earlier try of ours, or another writer's. It will do if it holds these very entries:
// each names the hash of the one before, so the first's predecessor and the last's hash settle it.
Status PackBuilder::State::adopt() {
  const std::string name = pack_name();
  ASSIGN_OR_RETURN(const ObjectInfo info, store.head(name));
  PackInfo there = pack;
  there.stored_bytes = info.size_bytes;
  Result<StoredEntry> last = read_last_of_pack(store, repository, source, there);
  if (!last && may_have_happened(last.error())) return last.error();
  if (!last)
    return Error(ErrorKind::kDataLoss,
                 name + ": the pack that stands there does not hold the log's entries: " + last.error().message());
  pack = there;
  return {};
}

Result<PackInfo> PackBuilder::close(StreamIndex index) {
  State& state = *state_;
  if (state.entries.empty()) return Error(ErrorKind::kInternal, "an empty pack was closed");
  if (!state.ended) {
    if (index.entries.empty()) index.entries = state.entries;
    if (index.entries.size() != state.entries.size() || index.entries.back().hash != state.pack.last_hash)
      return Error(ErrorKind::kInternal, state.pack_name() + ": its index is that of other entries");
    if (const Status ended = state.end(index); !ended) {
      state.reset();  // half written: nothing can be added to it
      return ended.error();
    }
  }
  RETURN_IF_ERROR(state.put());
  const PackInfo pack = state.pack;
  state.reset();
  return pack;
}

}  // namespace anclora::storage
