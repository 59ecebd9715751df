#include "protect/capture/outbox.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/whole_number.h"
#include "protect/capture/saved_chain.h"

namespace anclora::protect {
namespace {

constexpr std::string_view kTemporary = "~";
constexpr std::size_t kTimelineDigits = 10;
constexpr std::size_t kSequenceDigits = 20;

std::string entry_name(storage::TimelineId timeline, std::uint64_t sequence, storage::EntryKind kind) {
  return fmt::format("{:010}-{:020}-{}", timeline.value, sequence, static_cast<unsigned>(kind));
}

std::optional<Outbox::Pending> parse_entry_name(const std::string& folder, const FileInfo& file) {
  const std::string_view name = file.name;
  constexpr std::size_t kKindAt = kTimelineDigits + 1 + kSequenceDigits + 1;
  if (!file.is_regular || name.size() != kKindAt + 1 || name[kTimelineDigits] != '-' || name[kKindAt - 1] != '-')
    return std::nullopt;
  if (name[kKindAt] < '1' || name[kKindAt] > '6') return std::nullopt;
  const auto timeline = whole_number<std::uint32_t>(name.substr(0, kTimelineDigits));
  const auto sequence = whole_number<std::uint64_t>(name.substr(kTimelineDigits + 1, kSequenceDigits));
  if (!timeline || !sequence) return std::nullopt;
  Outbox::Pending pending;
  pending.timeline.value = *timeline;
  pending.sequence = *sequence;
  pending.kind = static_cast<storage::EntryKind>(name[kKindAt] - '0');
  pending.bytes = file.size_bytes;
  pending.path = folder + "/" + file.name;
  return pending;
}

Status remove_matching(FileSystem& files, const std::string& folder, auto matches) {
  ASSIGN_OR_RETURN(const std::vector<FileInfo> found, files.list(folder));
  for (const FileInfo& file : found)
    if (file.is_regular && matches(file.name)) RETURN_IF_ERROR(files.remove(folder + "/" + file.name));
  return {};
}

// The names of the folder's own folders, and its own name in its parents, as far up as this user may sync.
Status make_durable(FileSystem& files, const std::string& folder) {
  RETURN_IF_ERROR(files.sync_directory(folder));
  std::string path = folder;
  while (true) {
    const std::size_t slash = path.find_last_of('/');
    if (slash == std::string::npos || slash == 0) return {};
    path.resize(slash);
    if (!files.sync_directory(path)) return {};
  }
}

}  // namespace

Result<std::unique_ptr<Outbox>> Outbox::open(FileSystem& files, Random& random, std::string folder,
                                             std::uint64_t limit_bytes) {
  auto outbox = open_folder(files, random, std::move(folder), limit_bytes);
  if (outbox) return outbox;
  return outbox.error().with_hint("capture needs an outbox that it can write: mend its disk, or name another --outbox");
}

Result<std::unique_ptr<Outbox>> Outbox::open_folder(FileSystem& files, Random& random, std::string folder,
                                                    std::uint64_t limit_bytes) {
  std::unique_ptr<Outbox> outbox(new Outbox(files, std::move(folder), limit_bytes));
  RETURN_IF_ERROR(files.create_directories(outbox->entries_folder()));
  RETURN_IF_ERROR(files.create_directories(outbox->base_spool()));
  RETURN_IF_ERROR(make_durable(files, outbox->folder_));
  auto lock = files.lock(outbox->folder_ + "/lock");
  if (!lock && lock.error().kind() == ErrorKind::kFailedPrecondition)
    return Error(lock.error().kind(), lock.error().with_context("the outbox " + outbox->folder_).message(),
                 "another capture of this source runs on this machine; stop it, or give this one its own --outbox");
  if (!lock) return lock.error();
  outbox->lock_ = std::move(*lock);
  const auto temporary = [](std::string_view name) { return name.starts_with(kTemporary); };
  RETURN_IF_ERROR(remove_matching(files, outbox->folder_, temporary));
  RETURN_IF_ERROR(remove_matching(files, outbox->entries_folder(), temporary));
  RETURN_IF_ERROR(outbox->load_holder(random));
  RETURN_IF_ERROR(outbox->find_entries());
  return outbox;
}

Status Outbox::load_holder(Random& random) {
  const std::string path = folder_ + "/holder";
  auto text = files_.read_all(path, kKiB);
  if (!text && text.error().kind() == ErrorKind::kNotFound) {
    const Bytes id = random.bytes(holder_.size());
    RETURN_IF_ERROR(write_file(folder_, "holder", to_hex(id) + "\n"));
    std::copy(id.begin(), id.end(), holder_.begin());
    return {};
  }
  if (!text) return text.error();
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  auto id = from_hex(*text);
  if (!id || id->size() != holder_.size())
    return Error(ErrorKind::kDataLoss, path + " does not hold an identity of 32 hexadecimal digits",
                 "remove that file; other holders are then asked to wait 30 s for this one");
  std::copy(id->begin(), id->end(), holder_.begin());
  return {};
}

Status Outbox::find_entries() {
  ASSIGN_OR_RETURN(const std::vector<FileInfo> found, files_.list(entries_folder()));
  for (const FileInfo& file : found) {
    auto pending = parse_entry_name(entries_folder(), file);
    if (!pending) continue;
    pending_bytes_ += pending->bytes;
    pending_.push_back(std::move(*pending));
  }
  return {};
}

// A name appears only after its bytes are synced, and counts only after its folder is.
Status Outbox::write_file(const std::string& folder, const std::string& name, ByteView bytes) {
  const std::string temporary = folder + "/" + std::string(kTemporary) + name;
  const auto write = [&]() -> Status {
    ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, files_.create(temporary));
    RETURN_IF_ERROR(file->append(bytes));
    RETURN_IF_ERROR(file->sync());
    return file->close();
  };
  Status written = write();
  if (!written && written.error().kind() == ErrorKind::kAlreadyExists) {
    RETURN_IF_ERROR(files_.remove(temporary));
    written = write();
  }
  if (!written) {
    ignore_result(files_.remove(temporary));  // abandoned; swept at the next start if this fails too
    return written;
  }
  RETURN_IF_ERROR(files_.rename(temporary, folder + "/" + name));
  return files_.sync_directory(folder);
}

Status Outbox::append(storage::TimelineId timeline, std::uint64_t sequence, storage::EntryKind kind, ByteView object) {
  if (pending_bytes_ + object.size() > limit_bytes_)
    return Error(ErrorKind::kResourceExhausted,
                 fmt::format("the outbox {} holds {}: its limit of {} is reached", folder_, format_size(pending_bytes_),
                             format_size(limit_bytes_)),
                 "mend the store, or allow more with --outbox-limit");
  const std::string name = entry_name(timeline, sequence, kind);
  RETURN_IF_ERROR(write_file(entries_folder(), name, object));
  pending_.push_back({timeline, sequence, kind, object.size(), entries_folder() + "/" + name});
  pending_bytes_ += object.size();
  return {};
}

Result<Bytes> Outbox::read(const Pending& entry) const { return files_.read_all(entry.path, 64 * kMiB); }

void Outbox::remove_first() {
  ignore_result(files_.remove(pending_.front().path));  // found published, and removed, at the next start
  pending_bytes_ -= pending_.front().bytes;
  pending_.pop_front();
}

Status Outbox::abandon_from(std::size_t index) {
  const std::string aside = folder_ + "/abandoned";
  RETURN_IF_ERROR(files_.create_directories(aside));
  while (pending_.size() > index) {  // from the end: what a crash leaves goes on without a hole
    const Pending& last = pending_.back();
    const Status moved = files_.rename(last.path, aside + "/" + entry_name(last.timeline, last.sequence, last.kind));
    if (!moved && moved.error().kind() != ErrorKind::kNotFound) return moved;  // else: the disk lost it altogether
    pending_bytes_ -= last.bytes;
    pending_.pop_back();
  }
  return files_.sync_directory(entries_folder());
}

Status Outbox::clear_base_spool() {
  const auto all = [](std::string_view) { return true; };
  ASSIGN_OR_RETURN(const std::vector<FileInfo> found, files_.list(base_spool()));
  for (const FileInfo& attempt : found) {
    if (!attempt.is_directory) continue;
    RETURN_IF_ERROR(remove_matching(files_, base_spool() + "/" + attempt.name, all));
    RETURN_IF_ERROR(files_.remove_directory(base_spool() + "/" + attempt.name));
  }
  const auto later = files_.list(later_base_spool());
  if (!later) return later.error().kind() == ErrorKind::kNotFound ? Status() : Status(later.error());
  RETURN_IF_ERROR(remove_matching(files_, later_base_spool(), all));
  return files_.remove_directory(later_base_spool());
}

Status Outbox::save(const SavedChain& chain) { return write_file(folder_, "chain", encode_saved_chain(chain)); }

Result<std::optional<SavedChain>> Outbox::read_chain(FileSystem& files, const std::string& folder) {
  auto bytes = files.read_all(folder + "/chain", kMiB);
  if (!bytes && bytes.error().kind() == ErrorKind::kNotFound) return std::optional<SavedChain>{};
  if (!bytes) return bytes.error();
  auto chain = decode_saved_chain(*bytes);
  if (!chain) return chain.error().with_context(folder + "/chain");
  return std::optional(std::move(*chain));
}

}  // namespace anclora::protect
