#include "storage/repository/mirror.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "storage/repository/repository.h"

namespace anclora::storage {
namespace {

constexpr std::string_view kMirrorMark = "mirror/of";
constexpr std::string_view kPromotedMark = "mirror/promoted";

constexpr int kLogRank = 4;
constexpr int kCheckpointRank = 5;

// Smaller is copied earlier: an object only after everything that it names.
int copy_rank(std::string_view name) {
  if (name == layout::config()) return 0;
  if (name.starts_with("keys/")) return 1;
  if (name.find("/checkpoint/") != std::string_view::npos) return kCheckpointRank;
  if (name.find("/pin/") != std::string_view::npos) return 6;
  if (name.starts_with("records/")) return 7;
  if (name.find("/log/") != std::string_view::npos) return kLogRank;
  return 3;  // bases, side data, packs
}

Result<bool> exists(ReadStore& store, std::string_view name) {
  auto info = store.head(name);
  if (info) return true;
  if (info.error().kind() == ErrorKind::kNotFound) return false;
  return info.error();
}

Error different_bytes(const ReadStore& to, std::string_view name) {
  return Error(ErrorKind::kDataLoss, fmt::format("{}: {} holds other bytes than its source", to.describe(), name),
               "either copy is damaged, or two repositories were written under one name: anclora verify on each says "
               "which is whole; "
               "mirror the whole one to an empty place");
}

Error promoted_already(const ReadStore& to) {
  return Error(ErrorKind::kFailedPrecondition, to.describe() + " was promoted: it has a life of its own now",
               "mirror to an empty place");
}

// Marks `to` as a mirror of this repository, or finds that it is one.
Status take_possession(ReadStore& from, AppendStore& to) {
  ASSIGN_OR_RETURN(const Bytes config, from.get(layout::config()));
  ASSIGN_OR_RETURN(const MirrorRole role, mirror_role(to));
  if (role == MirrorRole::kPromoted) return promoted_already(to);
  if (role == MirrorRole::kNotAMirror) {
    ASSIGN_OR_RETURN(const bool has_config, exists(to, layout::config()));
    if (has_config)
      return Error(ErrorKind::kFailedPrecondition, to.describe() + " is a repository of its own, not a mirror",
                   "mirror to an empty place");
    RETURN_IF_ERROR(to.put_if_absent(kMirrorMark, to_hex(hash256(config))));
  }
  ASSIGN_OR_RETURN(const Bytes mark, to.get(kMirrorMark));
  if (mark != to_hex(hash256(config)))
    return Error(ErrorKind::kFailedPrecondition, to.describe() + " is the mirror of another repository",
                 "mirror to an empty place");
  return {};
}

Status copy_object(ReadStore& from, AppendStore& to, const std::string& name, MirrorProgress& progress) {
  auto bytes = from.get(name);
  if (!bytes && bytes.error().kind() == ErrorKind::kNotFound) return {};  // expire took it meanwhile
  if (!bytes) return bytes.error();
  ASSIGN_OR_RETURN(const PutOutcome outcome, to.put_if_absent(name, *bytes));
  if (outcome == PutOutcome::kExists) {
    ASSIGN_OR_RETURN(const Bytes there, to.get(name));
    if (there != *bytes) return different_bytes(to, name);
    ++progress.objects_present;
    return {};
  }
  ++progress.objects_copied;
  progress.bytes_copied += bytes->size();
  return {};
}

// An object that stands on both sides in one size.
Status compare_object(ReadStore& from, ReadStore& to, const std::string& name, MirrorProgress& progress) {
  const auto here = from.get(name);
  if (!here && here.error().kind() == ErrorKind::kNotFound) return {};  // expire took it meanwhile
  if (!here) return here.error();
  const auto there = to.get(name);
  if (!there && there.error().kind() == ErrorKind::kNotFound) return {};  // likewise, on a mirror that is expired
  if (!there) return there.error();
  if (*here != *there) return different_bytes(to, name);
  ++progress.objects_compared;
  return {};
}

// "sources/<source>/<timeline>/log/<sequence>"
void note_newest(const std::string& name, MirrorProgress& progress) {
  constexpr std::string_view kSources = "sources/";
  constexpr std::size_t kTimelineDigits = 10;
  const std::size_t log = name.find("/log/");
  if (!name.starts_with(kSources) || log == std::string::npos || log < kSources.size() + kTimelineDigits + 1) return;
  MirroredEntry entry;
  const char* timeline = name.data() + log - kTimelineDigits;
  std::from_chars(timeline, timeline + kTimelineDigits, entry.timeline);
  std::from_chars(name.data() + log + 5, name.data() + name.size(), entry.sequence);
  const std::string source = name.substr(kSources.size(), log - kTimelineDigits - 1 - kSources.size());
  MirroredEntry& newest = progress.newest[source];
  if (std::pair(entry.timeline, entry.sequence) >= std::pair(newest.timeline, newest.sequence)) newest = entry;
}

// Everything to copy, such that nothing listed names something unlisted: a listing takes time, and what was created
// while it ran may show without what was created just before. So it is listed twice: entries and checkpoints only as
// far as the first listing saw them, everything else as the second did. Records come before both: a verification's says
// how far the log had come.
Result<std::vector<ObjectInfo>> list_consistently(ReadStore& from) {
  ASSIGN_OR_RETURN(const Listing records, from.list("records/", false));
  std::map<std::string, std::string> newest;  // folder of a chain -> newest name the first listing saw
  const auto folder = [](const std::string& name) { return name.substr(0, name.rfind('/')); };
  for (const char* prefix : {"sources/", "safety/"}) {
    ASSIGN_OR_RETURN(const Listing first, from.list(prefix, false));
    for (const ObjectInfo& object : first.objects) newest[folder(object.name)] = object.name;
  }

  std::vector<ObjectInfo> objects;
  for (const char* prefix : {"config", "keys/", "sources/", "safety/"}) {
    ASSIGN_OR_RETURN(const Listing listing, from.list(prefix, false));
    for (const ObjectInfo& object : listing.objects) {
      const int rank = copy_rank(object.name);
      const bool chained = rank == kLogRank || rank == kCheckpointRank;
      const auto it = newest.find(folder(object.name));
      if (chained && (it == newest.end() || object.name > it->second)) continue;
      objects.push_back(object);
    }
  }
  objects.insert(objects.end(), records.objects.begin(), records.objects.end());
  return objects;
}

}  // namespace

Result<MirrorRole> mirror_role(ReadStore& store) {
  ASSIGN_OR_RETURN(const bool promoted, exists(store, kPromotedMark));
  if (promoted) return MirrorRole::kPromoted;
  ASSIGN_OR_RETURN(const bool mirror, exists(store, kMirrorMark));
  return mirror ? MirrorRole::kMirror : MirrorRole::kNotAMirror;
}

Status promote_mirror(AppendStore& store, Clock& clock) {
  ASSIGN_OR_RETURN(const MirrorRole role, mirror_role(store));
  if (role == MirrorRole::kNotAMirror)
    return Error(ErrorKind::kFailedPrecondition, store.describe() + " is not a mirror", "capture can use it as it is");
  if (role == MirrorRole::kPromoted)
    return Error(ErrorKind::kFailedPrecondition, store.describe() + " was promoted before",
                 "capture can use it as it is");
  RETURN_IF_ERROR(store.put_if_absent(kPromotedMark, format_rfc3339(clock.wall_now())));
  return {};
}

Result<MirrorProgress> mirror_once(ReadStore& from, AppendStore& to, Clock& clock, const MirrorOptions& options) {
  RETURN_IF_ERROR(take_possession(from, to));
  MonoTime asked = clock.mono_now();
  MirrorProgress progress;
  ASSIGN_OR_RETURN(progress.as_of, time_for_reading(from, clock));
  ASSIGN_OR_RETURN(std::vector<ObjectInfo> objects, list_consistently(from));
  std::map<std::string, std::uint64_t> present;
  ASSIGN_OR_RETURN(const Listing there, to.list("", false));
  for (const ObjectInfo& object : there.objects) present[object.name] = object.size_bytes;
  std::ranges::stable_sort(objects, {}, [](const ObjectInfo& object) { return copy_rank(object.name); });

  for (const ObjectInfo& object : objects) {
    if (options.stop && options.stop())
      return Error(ErrorKind::kCancelled, "stopped between two objects; run it again to go on");
    if (const MonoTime now = clock.mono_now(); now - asked >= options.role_every) {
      ASSIGN_OR_RETURN(const MirrorRole role, mirror_role(to));
      if (role == MirrorRole::kPromoted) return promoted_already(to);
      asked = now;
    }
    note_newest(object.name, progress);
    const auto it = present.find(object.name);
    if (it == present.end()) {
      RETURN_IF_ERROR(copy_object(from, to, object.name, progress));
      continue;
    }
    if (it->second != object.size_bytes) return different_bytes(to, object.name);
    if (options.checksum) RETURN_IF_ERROR(compare_object(from, to, object.name, progress));
    ++progress.objects_present;
  }
  return progress;
}

}  // namespace anclora::storage
