#include "base/memory_file_system.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <mutex>

namespace anclora {

struct MemoryFileSystem::State {
  explicit State(Clock& the_clock)
      : clock(the_clock), root(std::make_shared<MemoryNode>(true, the_clock.wall_now(), used_bytes)) {}

  std::mutex mutex;
  Clock& clock;
  std::shared_ptr<std::atomic<std::uint64_t>> used_bytes = std::make_shared<std::atomic<std::uint64_t>>(0);
  std::uint64_t capacity_bytes = std::numeric_limits<std::uint64_t>::max() / 2;
  std::uint64_t incarnation = 0;  // counts crashes
  std::uint64_t next_change = 0;
  MemoryNodePtr root;
};

namespace {

using State = MemoryFileSystem::State;

Error missing(const std::string& path) { return Error(ErrorKind::kNotFound, path + ": No such file or directory"); }

std::vector<std::string_view> components(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
  }
  return parts;
}

MemoryNode* child_of(const MemoryNode& directory, std::string_view name) {
  const auto found = directory.live.find(name);
  return found == directory.live.end() ? nullptr : found->second.get();
}

// A name and the directory that holds it, or would.
struct Place {
  MemoryNode* directory = nullptr;
  std::string name;
  MemoryNodePtr node;  // null: the name is free
};

// kNotFound when the directory is missing; the root has no place.
Result<Place> place_of(State& state, const std::string& path) {
  const auto parts = components(path);
  if (parts.empty()) return Error(ErrorKind::kFailedPrecondition, path + " is the root");
  Place place;
  place.directory = state.root.get();
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    place.directory = child_of(*place.directory, parts[i]);
    if (place.directory == nullptr || !place.directory->is_directory) return missing(path);
  }
  place.name = parts.back();
  if (const auto found = place.directory->live.find(place.name); found != place.directory->live.end())
    place.node = found->second;
  return place;
}

Result<MemoryNodePtr> node_at(State& state, const std::string& path) {
  if (components(path).empty()) return state.root;
  ASSIGN_OR_RETURN(Place place, place_of(state, path));
  if (!place.node) return missing(path);
  return std::move(place.node);
}

MemoryNodePtr add_node(State& state, MemoryNode& directory, const std::string& name, bool is_directory) {
  auto node = std::make_shared<MemoryNode>(is_directory, state.clock.wall_now(), state.used_bytes);
  directory.change_name({NameChange::Kind::kAdd, state.next_change++, name, node});
  return node;
}

FileInfo info_of(std::string name, const MemoryNode& node) {
  FileInfo info;
  info.name = std::move(name);
  info.size_bytes = node.data.size();
  info.modified = node.modified;
  info.is_directory = node.is_directory;
  info.is_regular = !node.is_directory;
  return info;
}

// What every handle shares: it is void after a crash.
class Handle {
 public:
  Handle(std::shared_ptr<State> state, MemoryNodePtr node, std::string path)
      : state_(std::move(state)), node_(std::move(node)), path_(std::move(path)), incarnation_(state_->incarnation) {}

 protected:
  Status expect_alive() const {
    if (state_->incarnation != incarnation_) return Error(ErrorKind::kCancelled, path_ + " was open before the crash");
    return {};
  }
  std::shared_ptr<State> state_;
  MemoryNodePtr node_;
  std::string path_;
  std::uint64_t incarnation_;
};

class MemoryWritableFile final : public WritableFile, private Handle {
 public:
  using Handle::Handle;

  Status append(ByteView bytes) override {
    const std::lock_guard lock(state_->mutex);
    RETURN_IF_ERROR(expect_usable());
    const std::uint64_t used = *state_->used_bytes;
    const std::uint64_t room = state_->capacity_bytes > used ? state_->capacity_bytes - used : 0;
    node_->append(bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(room, bytes.size()))),
                  state_->clock.wall_now());
    if (bytes.size() <= room) return {};
    failed_ = true;
    return Error(ErrorKind::kResourceExhausted, "cannot write to " + path_ + ": No space left on device");
  }
  Status sync() override {
    const std::lock_guard lock(state_->mutex);
    RETURN_IF_ERROR(expect_usable());
    node_->synced_bytes = node_->data.size();
    return {};
  }
  Status close() override {
    const std::lock_guard lock(state_->mutex);
    closed_ = true;
    return expect_alive();
  }

 private:
  Status expect_usable() const {
    RETURN_IF_ERROR(expect_alive());
    if (failed_) return Error(ErrorKind::kIo, path_ + " failed before and must be abandoned");
    if (closed_) return Error(ErrorKind::kInternal, path_ + " is already closed");
    return {};
  }
  bool failed_ = false;
  bool closed_ = false;
};

class MemoryReadableFile final : public ReadableFile, private Handle {
 public:
  MemoryReadableFile(std::shared_ptr<State> state, MemoryNodePtr node, std::string path)
      : Handle(std::move(state), std::move(node), std::move(path)), size_bytes_(node_->data.size()) {}

  std::uint64_t size_bytes() const override { return size_bytes_; }
  Result<Bytes> read(std::uint64_t offset, std::size_t size) const override {
    const std::lock_guard lock(state_->mutex);
    RETURN_IF_ERROR(expect_alive());
    if (offset > size_bytes_ || size > size_bytes_ - offset)
      return Error(ErrorKind::kDataLoss, fmt::format("{} ends before the {} bytes at {}", path_, size, offset));
    return node_->data.substr(static_cast<std::size_t>(offset), size);
  }

 private:
  std::uint64_t size_bytes_;
};

class MemoryFileLock final : public FileLock, private Handle {
 public:
  using Handle::Handle;
  ~MemoryFileLock() override {
    const std::lock_guard lock(state_->mutex);
    if (expect_alive().has_value()) node_->locked = false;
  }
};

}  // namespace

MemoryFileSystem::MemoryFileSystem(Clock& clock) : state_(std::make_shared<State>(clock)) {}
MemoryFileSystem::~MemoryFileSystem() = default;

void MemoryFileSystem::crash(CrashMode mode, Random& random) {
  const std::lock_guard lock(state_->mutex);
  ++state_->incarnation;
  crash_tree(*state_->root, mode, random);
}

void MemoryFileSystem::set_capacity(std::uint64_t bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->capacity_bytes = bytes;
}

Result<std::unique_ptr<WritableFile>> MemoryFileSystem::create(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  ASSIGN_OR_RETURN(const Place place, place_of(*state_, path));
  if (place.node) return Error(ErrorKind::kAlreadyExists, "cannot create " + path + ": File exists");
  return std::make_unique<MemoryWritableFile>(state_, add_node(*state_, *place.directory, place.name, false), path);
}

Result<std::unique_ptr<ReadableFile>> MemoryFileSystem::open(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  ASSIGN_OR_RETURN(MemoryNodePtr node, node_at(*state_, path));
  if (node->is_directory) return Error(ErrorKind::kFailedPrecondition, path + " is not a regular file");
  return std::make_unique<MemoryReadableFile>(state_, std::move(node), path);
}

Status MemoryFileSystem::link(const std::string& existing, const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  ASSIGN_OR_RETURN(MemoryNodePtr node, node_at(*state_, existing));
  if (node->is_directory) return Error(ErrorKind::kFailedPrecondition, existing + " is a directory");
  ASSIGN_OR_RETURN(Place place, place_of(*state_, path));
  if (place.node)
    return Error(ErrorKind::kAlreadyExists, fmt::format("cannot link {} as {}: File exists", existing, path));
  place.directory->change_name({NameChange::Kind::kAdd, state_->next_change++, place.name, std::move(node)});
  return {};
}

Status MemoryFileSystem::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(state_->mutex);
  ASSIGN_OR_RETURN(const Place source, place_of(*state_, from));
  if (!source.node) return missing(from);
  ASSIGN_OR_RETURN(const Place target, place_of(*state_, to));
  if (source.node == target.node) return {};
  if (target.node && (target.node->is_directory || source.node->is_directory))
    return Error(ErrorKind::kFailedPrecondition, fmt::format("cannot rename {} to {}: one is a directory", from, to));
  const std::uint64_t id = state_->next_change++;
  source.directory->change_name({NameChange::Kind::kRename, id, source.name, nullptr});
  target.directory->change_name({NameChange::Kind::kRename, id, target.name, source.node});
  return {};
}

Status MemoryFileSystem::remove(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  ASSIGN_OR_RETURN(const Place place, place_of(*state_, path));
  if (!place.node) return missing(path);
  if (place.node->is_directory) return Error(ErrorKind::kFailedPrecondition, path + " is a directory");
  place.directory->change_name({NameChange::Kind::kRemove, state_->next_change++, place.name, nullptr});
  return {};
}

Status MemoryFileSystem::remove_directory(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  ASSIGN_OR_RETURN(const Place place, place_of(*state_, path));
  if (!place.node || !place.node->is_directory) return missing(path);
  if (!place.node->live.empty()) return Error(ErrorKind::kFailedPrecondition, path + ": Directory not empty");
  place.directory->change_name({NameChange::Kind::kRemove, state_->next_change++, place.name, nullptr});
  return {};
}

Status MemoryFileSystem::create_directories(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  MemoryNode* directory = state_->root.get();
  for (const std::string_view part : components(path)) {
    MemoryNode* next = child_of(*directory, part);
    if (next != nullptr && !next->is_directory)
      return Error(ErrorKind::kAlreadyExists, fmt::format("{} in {} is there and is not a directory", part, path));
    directory = next != nullptr ? next : add_node(*state_, *directory, std::string(part), true).get();
  }
  return {};
}

Status MemoryFileSystem::sync_directory(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  ASSIGN_OR_RETURN(const MemoryNodePtr node, node_at(*state_, path));
  if (!node->is_directory) return missing(path);
  node->sync_names();
  return {};
}

Result<std::vector<FileInfo>> MemoryFileSystem::list(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  ASSIGN_OR_RETURN(const MemoryNodePtr node, node_at(*state_, path));
  if (!node->is_directory) return missing(path);
  std::vector<FileInfo> entries;
  for (const auto& [name, child] : node->live) entries.push_back(info_of(name, *child));
  return entries;
}

Result<FileInfo> MemoryFileSystem::stat(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  ASSIGN_OR_RETURN(const MemoryNodePtr node, node_at(*state_, path));
  return info_of(path, *node);
}

Result<std::string> MemoryFileSystem::resolve(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  RETURN_IF_ERROR(node_at(*state_, path));
  std::string resolved;
  for (const std::string_view part : components(path)) resolved.append("/").append(part);
  return resolved.empty() ? "/" : resolved;
}

Result<std::uint64_t> MemoryFileSystem::free_bytes(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  RETURN_IF_ERROR(node_at(*state_, path));
  const std::uint64_t used = *state_->used_bytes;
  return state_->capacity_bytes > used ? state_->capacity_bytes - used : 0;
}

Result<std::unique_ptr<FileLock>> MemoryFileSystem::lock(const std::string& path) {
  const std::lock_guard guard(state_->mutex);
  ASSIGN_OR_RETURN(Place place, place_of(*state_, path));
  if (!place.node) place.node = add_node(*state_, *place.directory, place.name, false);
  if (place.node->locked) return Error(ErrorKind::kFailedPrecondition, path + " is locked by another process");
  place.node->locked = true;
  return std::make_unique<MemoryFileLock>(state_, place.node, path);
}

Status MemoryFileSystem::touch(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  ASSIGN_OR_RETURN(const MemoryNodePtr node, node_at(*state_, path));
  node->modified = state_->clock.wall_now();
  return {};
}

}  // namespace anclora
