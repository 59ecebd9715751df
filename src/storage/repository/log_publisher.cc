#include <fmt/format.h>

#include <algorithm>

#include "storage/repository/log_writer.h"
#include "storage/repository/repository_config.h"
#include "storage/repository/sealed_object.h"

namespace anclora::storage {
namespace {

// Rule 5: expire keeps every entry for at least an hour; a put counts when its predecessor was seen that recently.
constexpr Duration kHeadFresh = std::chrono::minutes(10);
constexpr Duration kHolderIsAlive = std::chrono::seconds(30);

bool outcome_unknown(const Error& error) {
  return error.kind() == ErrorKind::kUnavailable || error.kind() == ErrorKind::kDeadlineExceeded;
}

std::string hex(const std::array<std::uint8_t, 16>& id) {
  return to_hex(ByteView(reinterpret_cast<const char*>(id.data()), id.size()));
}

std::string when(const LogEntry& entry) {
  return entry.marks.empty() ? std::string("an unknown time") : format_rfc3339(entry.marks.back().wall);
}

Error fenced_by(const std::string& object_name, const LogEntry& entry) {
  return Error(ErrorKind::kFenced,
               fmt::format("{} was written by another writer: holder {}, incarnation {}, epoch {}, at {}", object_name,
                           hex(entry.holder), hex(entry.incarnation), entry.epoch, when(entry)),
               "stop one of the two captures of this source; what waits in the outbox is kept");
}

Error chain_moved_on(const std::string& object_name, std::string_view why) {
  return Error(ErrorKind::kFailedPrecondition, fmt::format("{} cannot count: {}", object_name, why),
               "start capture again: it reads the newest entry and goes on from there");
}

// ".../log/<sequence>" -> the name of the entry before it.
std::string previous_name(const std::string& object_name, std::uint64_t sequence) {
  return fmt::format("{}{:020}", object_name.substr(0, object_name.rfind('/') + 1), sequence - 1);
}

}  // namespace

LogPublisher::LogPublisher(AppendStore& store, const Repository& repository) : store_(store), repository_(repository) {}

Status LogPublisher::publish(const SealedEntry& entry) {
  return publish(entry.object_name, entry.object, entry.entry.timeline, entry.entry.sequence);
}

Status LogPublisher::publish(const std::string& object_name, ByteView object, TimelineId timeline,
                             std::uint64_t sequence) {
  if (object_name == last_name_) return {};
  RETURN_IF_ERROR(check_repository());
  const Status before = check_predecessor(object_name, timeline, sequence);
  if (!before && before.error().kind() != ErrorKind::kFailedPrecondition) return before;
  if (!before) return settle_without_predecessor(object_name, object, before.error());
  Result<PutOutcome> outcome = store_.put_if_absent(object_name, object);
  if (!outcome && !outcome_unknown(outcome.error())) return outcome.error().with_context(object_name);
  const bool created = outcome && *outcome == PutOutcome::kCreated;
  if (!created) {
    Status settled = settle(object_name, object);
    if (!settled && settled.error().kind() == ErrorKind::kNotFound)
      return outcome ? Error(ErrorKind::kUnavailable, object_name + " was there and is not: try again")
                     : outcome.error().with_context(object_name);
    RETURN_IF_ERROR(settled);
  }
  // When the store wrote it, by its own clock: local clocks stand still in a suspended machine.
  ASSIGN_OR_RETURN(const ObjectInfo info, store_.head(object_name));
  if (head_seen_ && info.modified - *head_seen_ > kHeadFresh)
    RETURN_IF_ERROR(check_predecessor(object_name, timeline, sequence));
  head_seen_ = info.modified;
  last_name_ = object_name;
  return {};
}

// A folder or bucket may be exchanged, emptied or begun anew under a running capture. What is sealed for one repository
// means nothing in another: it would be lost there, and believed to be safe. A config that is damaged says nothing.
Status LogPublisher::check_repository() {
  const Result<Bytes> text = store_.get(layout::config());
  if (!text && text.error().kind() == ErrorKind::kNotFound)
    return Error(ErrorKind::kUnavailable, store_.describe() + " holds no repository any more",
                 "bring it back, or mount it again: what is written meanwhile waits in the outbox");
  if (!text) return text.error().with_context(layout::config());
  const Result<RepositoryConfig> config = decode_config(*text);
  if (!config || config->id == repository_.id()) return {};
  return Error(
      ErrorKind::kFailedPrecondition,
      fmt::format("{} holds another repository now: {} instead of {}", store_.describe(), config->id, repository_.id()),
      "bring the former one back and start capture again; or start it to protect into the new one, from a new "
      "base on");
}

// Nothing may be put any more; but the entry may be there from before, the one before it since packed and deleted.
Status LogPublisher::settle_without_predecessor(const std::string& object_name, ByteView object, const Error& refusal) {
  const Status settled = settle(object_name, object);
  if (!settled) return settled.error().kind() == ErrorKind::kNotFound ? refusal : settled.error();
  ASSIGN_OR_RETURN(const ObjectInfo info, store_.head(object_name));
  head_seen_ = info.modified;
  last_name_ = object_name;
  return {};
}

// Ok: my bytes stand there. kNotFound: nothing does.
Status LogPublisher::settle(const std::string& object_name, ByteView object) {
  ASSIGN_OR_RETURN(const Bytes there, store_.get(object_name));
  if (there == object) return {};
  const Result<Bytes> content = open_object(repository_.key(), object_name, there);
  if (!content)
    return Error(ErrorKind::kDataLoss, "a log entry's name is taken by what is none: " + content.error().message());
  ASSIGN_OR_RETURN(const LogEntry entry, decode_log_entry(*content));
  return fenced_by(object_name, entry);
}

// The entry before still stands under its name: expire cannot have emptied the name that is (to be) written, and the
// store is not an older copy of itself, brought back under a running capture, in which this entry would lie behind a
// hole.
Status LogPublisher::check_predecessor(const std::string& object_name, TimelineId timeline, std::uint64_t sequence) {
  std::optional<WallTime> now = head_seen_;
  if (!now) {
    ASSIGN_OR_RETURN(now, store_.now());
  }
  if (sequence == 0 && last_name_.empty()) {
    // The first entry of a timeline: nothing of that timeline may have been there. Its own name is settled by the put.
    const std::string prefix = object_name.substr(0, object_name.find("log/"));
    ASSIGN_OR_RETURN(const Listing listing, store_.list(prefix, true));
    const bool lived =
        !listing.prefixes.empty() && !(listing.prefixes.size() == 1 && listing.prefixes[0] == prefix + "log/");
    if (lived) {
      // Another writer may just have begun: then the name is taken, and the put tells by whom.
      ASSIGN_OR_RETURN(const bool taken, object_exists(store_, object_name));
      if (!taken)
        return chain_moved_on(object_name, fmt::format("timeline {} already has packs or bases", timeline.value));
    }
    head_seen_ = now;
    return {};
  }
  const std::string before = sequence == 0 ? last_name_ : previous_name(object_name, sequence);
  Result<ObjectInfo> info = store_.head(before);
  if (!info && info.error().kind() == ErrorKind::kNotFound) {
    RETURN_IF_ERROR(check_repository());  // the disk may have gone since
    return chain_moved_on(object_name,
                          fmt::format("{} before it is gone: the repository is an older copy of itself now, or this "
                                      "capture slept while the log went on",
                                      before));
  }
  if (!info) return info.error().with_context(before);
  head_seen_ = now;
  return {};
}

Status may_take_over(ReadStore& store, const std::optional<Head>& head, const HolderId& self) {
  if (!head || head->entry.holder == self) return {};
  const LogEntry& entry = head->entry;
  if (entry.kind == EntryKind::kClosed) return {};
  if (entry.kind == EntryKind::kClaim && entry.note == kReleasedNote) return {};
  ASSIGN_OR_RETURN(const WallTime now, store.now());
  const auto age = now - head->stored;
  if (age >= kHolderIsAlive) return {};
  return Error(
      ErrorKind::kFenced,
      fmt::format("another capture holds this source: holder {}, incarnation {}, last sign of life {} ago",
                  hex(entry.holder), hex(entry.incarnation), format_duration(std::max(age, decltype(age)::zero()))),
      fmt::format("stop it, or try again in {}", format_duration(kHolderIsAlive - age)));
}

}  // namespace anclora::storage
