#include "base/memory_tree.h"

#include <array>
#include <unordered_set>

namespace anclora {
namespace {

void apply_change(MemoryNames& names, const NameChange& change) {
  if (change.node)
    names[change.name] = change.node;
  else if (const auto found = names.find(change.name); found != names.end())
    names.erase(found);
}

class Crash {
 public:
  Crash(CrashMode mode, Random& random) : mode_(mode), random_(random), seed_(random.next_u64()) {}

  void visit(MemoryNode& node) {
    if (!visited_.insert(&node).second) return;
    node.locked = false;
    if (!node.is_directory) return crash_file(node);
    for (const NameChange& change : node.unsynced)
      if (survives(change)) apply_change(node.durable, change);
    node.unsynced.clear();
    node.live = node.durable;
    for (const auto& [name, child] : node.live) visit(*child);
  }

 private:
  bool survives(const NameChange& change) const {
    switch (mode_) {
      case CrashMode::kDropUnsynced:
        return false;
      case CrashMode::kTornAppends:
      case CrashMode::kScrambledTails:
        return true;
      case CrashMode::kRemovedReturn:
        return change.kind != NameChange::Kind::kRemove;
      case CrashMode::kRenamesLost:
        return change.kind != NameChange::Kind::kRename;
      case CrashMode::kEachForItself:
        // From the id, so that both ends of a rename meet one fate.
        return (SeededRandom(seed_ ^ change.id).next_u64() & 1) != 0;
    }
    return false;
  }

  CrashMode mode_for_file() {
    if (mode_ == CrashMode::kEachForItself) return kAllCrashModes[random_.below(3)];
    return mode_;
  }

  void crash_file(MemoryNode& node) {
    const std::size_t unsynced = node.data.size() - node.synced_bytes;
    if (unsynced > 0) {
      const CrashMode mode = mode_for_file();
      const std::size_t kept = node.synced_bytes + static_cast<std::size_t>(random_.below(unsynced + 1));
      if (mode == CrashMode::kTornAppends)
        node.cut(kept);
      else if (mode == CrashMode::kScrambledTails)
        scramble(node.data, kept);
      else
        node.cut(node.synced_bytes);
    }
    node.synced_bytes = node.data.size();
  }

  void scramble(Bytes& data, std::size_t from) {
    const std::size_t size = data.size() - from;
    data.replace(from, size, random_.below(2) == 0 ? Bytes(size, '\0') : random_.bytes(size));
  }

  CrashMode mode_;
  Random& random_;
  std::uint64_t seed_;
  std::unordered_set<const MemoryNode*> visited_;
};

}  // namespace

std::string_view to_string(CrashMode mode) {
  static constexpr std::array<std::string_view, 6> kNames = {"drop-unsynced",  "torn-appends", "scrambled-tails",
                                                             "removed-return", "renames-lost", "each-for-itself"};
  return kNames.at(static_cast<std::size_t>(mode));
}

MemoryNode::MemoryNode(bool directory, WallTime now, std::shared_ptr<std::atomic<std::uint64_t>> used)
    : is_directory(directory), modified(now), used_bytes_(std::move(used)) {}

MemoryNode::~MemoryNode() { *used_bytes_ -= data.size(); }

void MemoryNode::append(ByteView more, WallTime now) {
  data.append(more);
  *used_bytes_ += more.size();
  modified = now;
}

void MemoryNode::cut(std::size_t size) {
  *used_bytes_ -= data.size() - size;
  data.resize(size);
}

void MemoryNode::change_name(NameChange change) {
  apply_change(live, change);
  unsynced.push_back(std::move(change));
}

void MemoryNode::sync_names() {
  for (const NameChange& change : unsynced) apply_change(durable, change);
  unsynced.clear();
}

void crash_tree(MemoryNode& root, CrashMode mode, Random& random) { Crash(mode, random).visit(root); }

}  // namespace anclora
