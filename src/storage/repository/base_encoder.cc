#include <fmt/format.h>
#include <sodium.h>

#include <charconv>
#include <mutex>

#include "redis/rdb/rdb_summary.h"
#include "storage/repository/base_manifest.h"
#include "storage/repository/base_writer.h"

namespace anclora::storage {

namespace {

// The part that is being filled. A frame waits in `held` until it is known whether it is the part's last.
struct OpenPart {
  std::unique_ptr<WritableFile> file;
  std::unique_ptr<ObjectSealer> sealer;
  std::unique_ptr<ObjectOpener> check;
  std::string object_name;
  std::string path;
  CompressedFrame held;
  Bytes held_plain;
  BasePart size;
};

}  // namespace

struct BaseEncoder::State {
  const Repository& repository;
  FileSystem& files;
  std::string folder;
  std::string source;
  BaseInfo base;
  Random& random;
  FrameCompressor compressor{FrameTuning::kAnything};
  redis::RdbSummary summary;
  crypto_generichash_state hash{};
  Bytes buffer;  // less than a frame
  std::unique_ptr<OpenPart> open;
  std::vector<BasePart> parts;
  bool folder_made = false;
  bool finished = false;

  mutable std::mutex mutex;  // guards what follows
  std::vector<Part> ready;
  std::uint64_t spooled = 0;

  State(const Repository& r, FileSystem& f, std::string spool, std::string s, BaseInfo b, Random& rnd)
      : repository(r), files(f), folder(std::move(spool)), source(std::move(s)), base(std::move(b)), random(rnd) {
    crypto_generichash_init(&hash, nullptr, 0, std::tuple_size_v<Hash256>);
    buffer.reserve(kFrameBytes);
  }

  Status write(ByteView rdb);
  Status add_frame();
  Status open_part();
  Status flush_held(bool last);
  Status close_part();
  Status write_manifest(const BaseManifest& manifest);
  std::string spool_path(std::string_view object_name) const {
    return folder + "/" + std::string(object_name.substr(object_name.rfind('/') + 1));
  }
  Result<std::unique_ptr<WritableFile>> create(const std::string& path);
  void publish_ready(std::string object_name, std::string path, std::uint64_t bytes);
};

Status BaseEncoder::State::write(ByteView rdb) {
  RETURN_IF_ERROR(summary.feed(rdb));
  crypto_generichash_update(&hash, reinterpret_cast<const unsigned char*>(rdb.data()), rdb.size());
  base.rdb_bytes += rdb.size();
  while (!rdb.empty()) {
    const ByteView piece = rdb.substr(0, kFrameBytes - buffer.size());
    buffer.append(piece);
    rdb.remove_prefix(piece.size());
    if (buffer.size() == kFrameBytes) RETURN_IF_ERROR(add_frame());
  }
  return {};
}

Status BaseEncoder::State::add_frame() {
  ASSIGN_OR_RETURN(std::vector<CompressedFrame> frames, compressor.compress(buffer));
  CompressedFrame& frame = frames.front();
  if (open && open->size.stored_bytes + open->held.bytes.size() + frame.bytes.size() > kBasePartBytes)
    RETURN_IF_ERROR(close_part());
  if (open) {
    RETURN_IF_ERROR(flush_held(false));
  } else {
    RETURN_IF_ERROR(open_part());
  }
  open->held = std::move(frame);
  std::swap(open->held_plain, buffer);
  buffer.clear();
  buffer.reserve(kFrameBytes);
  return {};
}

Result<std::unique_ptr<WritableFile>> BaseEncoder::State::create(const std::string& path) {
  if (!folder_made) RETURN_IF_ERROR(files.create_directories(folder));
  folder_made = true;
  // What a run that died left here is of no use: this attempt has a name of its own.
  if (Status removed = files.remove(path); !removed && removed.error().kind() != ErrorKind::kNotFound)
    return removed.error();
  return files.create(path);
}

Status BaseEncoder::State::open_part() {
  auto part = std::make_unique<OpenPart>();
  part->object_name = layout::base_part(source, base.timeline, base.name, static_cast<std::uint32_t>(parts.size()));
  part->path = spool_path(part->object_name);
  ASSIGN_OR_RETURN(part->file, create(part->path));
  part->sealer = std::make_unique<ObjectSealer>(repository.key(), part->object_name, 0, random);
  part->check = std::make_unique<ObjectOpener>(repository.key(), part->object_name, 0);
  const Bytes header = part->sealer->header();
  Bytes none;
  RETURN_IF_ERROR(part->check->feed(header, none));
  RETURN_IF_ERROR(part->file->append(header));
  part->size.stored_bytes = header.size();
  open = std::move(part);
  return {};
}

// What was sealed is opened again and compared before anyone relies on it.
Status BaseEncoder::State::flush_held(bool last) {
  const Bytes sealed = open->sealer->seal(open->held, last);
  Bytes opened;
  RETURN_IF_ERROR(open->check->feed(sealed, opened));
  if (opened != open->held_plain) {
    return Error(ErrorKind::kDataLoss, open->object_name + " does not open to the bytes that were sealed",
                 "this points to faulty memory or processor: run capture on another machine");
  }
  RETURN_IF_ERROR(open->file->append(sealed));
  open->size.stored_bytes += sealed.size();
  open->size.plain_bytes += open->held_plain.size();
  const std::lock_guard lock(mutex);
  spooled += sealed.size();
  return {};
}

Status BaseEncoder::State::close_part() {
  RETURN_IF_ERROR(flush_held(true));
  RETURN_IF_ERROR(open->check->finish());
  RETURN_IF_ERROR(open->file->close());
  parts.push_back(open->size);
  base.stored_bytes += open->size.stored_bytes;
  publish_ready(open->object_name, open->path, open->size.stored_bytes);
  open.reset();
  return {};
}

void BaseEncoder::State::publish_ready(std::string object_name, std::string path, std::uint64_t bytes) {
  const std::lock_guard lock(mutex);
  ready.push_back({std::move(object_name), std::move(path), bytes});
}

Status BaseEncoder::State::write_manifest(const BaseManifest& manifest) {
  const std::string name = layout::base_manifest(source, base.timeline, base.name);
  ASSIGN_OR_RETURN(const Bytes sealed, seal_object(repository.key(), name, encode_base_manifest(manifest), random));
  const std::string path = spool_path(name);
  ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, create(path));
  RETURN_IF_ERROR(file->append(sealed));
  RETURN_IF_ERROR(file->close());
  publish_ready(name, path, sealed.size());
  return {};
}

BaseEncoder::BaseEncoder(const Repository& repository, FileSystem& files, std::string spool_folder, std::string source,
                         TimelineId timeline, redis::Offset offset, std::uint32_t attempt, Random& random) {
  BaseInfo base;
  base.name = layout::base_name(offset, attempt);
  base.timeline = timeline;
  base.offset = offset;
  state_ =
      std::make_unique<State>(repository, files, std::move(spool_folder), std::move(source), std::move(base), random);
}
BaseEncoder::~BaseEncoder() = default;

Status BaseEncoder::write(ByteView rdb) {
  if (state_->finished) return Error(ErrorKind::kInternal, "a base was written to after its end");
  return state_->write(rdb);
}

Result<BaseInfo> BaseEncoder::finish(WallTime time, std::string origin, std::uint32_t database) {
  State& state = *state_;
  if (state.finished) return Error(ErrorKind::kInternal, "a base was finished twice");
  state.finished = true;
  Result<redis::RdbFacts> facts = state.summary.finish();
  if (!facts) return facts.error().with_context("base " + state.base.name);
  if (!state.buffer.empty()) RETURN_IF_ERROR(state.add_frame());
  RETURN_IF_ERROR(state.close_part());
  BaseInfo& base = state.base;
  base.time = time;
  base.origin = std::move(origin);
  base.database = database;
  base.parts = static_cast<std::uint32_t>(state.parts.size());
  base.rdb_crc64 = facts->checksum_value;
  base.rdb_version = facts->magic.version;
  base.redis_version = facts->aux.redis_version;
  base.used_memory_bytes = facts->aux.used_memory_bytes.value_or(0);
  BaseManifest manifest{base, {}, state.parts};
  crypto_generichash_final(&state.hash, manifest.hash.data(), manifest.hash.size());
  RETURN_IF_ERROR(state.write_manifest(manifest));
  return base;
}

std::vector<BaseEncoder::Part> BaseEncoder::take_ready() {
  const std::lock_guard lock(state_->mutex);
  return std::exchange(state_->ready, {});
}

std::uint64_t BaseEncoder::spooled_bytes() const {
  const std::lock_guard lock(state_->mutex);
  return state_->spooled;
}

}  // namespace anclora::storage
