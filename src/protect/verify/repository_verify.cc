#include "protect/verify/repository_verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "base/whole_number.h"
#include "protect/restore/restore_route.h"
#include "protect/verify/log_check.h"
#include "redis/rdb/rdb_summary.h"
#include "storage/repository/log_reader.h"
#include "storage/repository/pin.h"

namespace anclora::protect {
namespace {

using storage::BaseInfo;
using storage::ObjectInfo;
using storage::SourceState;
using storage::TimelineState;

constexpr std::chrono::minutes kAtWork{15};

// probe/: what init left of its proof of put-if-absent.
constexpr std::array<std::string_view, 6> kOurPrefixes = {"keys/",    "sources/", "safety/",
                                                          "records/", "mirror/",  "probe/"};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

class Verifier {
 public:
  Verifier(storage::ReadStore& store, const storage::Repository& repository, Clock& clock, const VerifyOptions& options)
      : store_(store), repository_(repository), clock_(clock), options_(options) {
    report_.percent = options.percent;
    report_.seed = options.seed;
  }

  Result<VerifyReport> run() {
    report_.started = clock_.wall_now();
    const MonoTime begin = clock_.mono_now();
    begun_ = store_.now().value_or(report_.started);  // a store that cannot be touched: by our own clock
    ASSIGN_OR_RETURN(earlier_, read_earlier_verification(store_, repository_));
    sightings_ = earlier_.sources;
    sightings_.insert(sightings_.end(), options_.sightings.begin(), options_.sightings.end());
    RETURN_IF_ERROR(check_top());
    ASSIGN_OR_RETURN(std::vector<std::string> sources, storage::list_sources(store_));
    ASSIGN_OR_RETURN(const storage::Listing safety, store_.list("safety/", true));
    for (const std::string& prefix : safety.prefixes) sources.push_back(prefix.substr(0, prefix.size() - 1));
    std::ranges::sort(sources);
    sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
    for (const std::string& source : sources) RETURN_IF_ERROR(check_source(source));
    compare_sources(sightings_, sources, report_);
    RETURN_IF_ERROR(check_records());
    report_.took = std::chrono::duration_cast<Duration>(clock_.mono_now() - begin);
    return std::move(report_);
  }

 private:
  using Logs = std::map<storage::TimelineId, LogCheck>;
  struct BaseThere {
    bool recent = false;           // its newest part is
    std::uint64_t part_bytes = 0;  // of all its parts, as they are listed
  };
  // By timeline and name.
  using BasesThere = std::map<std::pair<storage::TimelineId, std::string>, BaseThere>;

  // What capture is at work on may not be announced yet.
  bool recent(const ObjectInfo& object) const { return object.modified > begun_ - kAtWork; }

  bool sampled(std::string_view name) const {
    if (options_.percent >= 100) return true;
    const Hash256 hash = hash256(fmt::format("{}/{}", options_.seed, name));
    const std::uint32_t draw = (std::uint32_t{hash[0]} << 16 | std::uint32_t{hash[1]} << 8 | hash[2]) % 1'000'000;
    return draw < options_.percent * 10'000;
  }

  void foreign_of(const storage::Listing& listing) {
    for (const std::string& name : listing.foreign) report_.add_foreign(name);
  }

  // config was judged when the repository was opened.
  Status check_top() {
    ASSIGN_OR_RETURN(const storage::Listing top, store_.list("", true));
    for (const std::string& name : top.foreign)  // ours may be empty
      if (std::ranges::find(kOurPrefixes, name) == kOurPrefixes.end()) report_.add_foreign(name);
    for (const ObjectInfo& object : top.objects)
      if (object.name != storage::layout::config()) report_.add_foreign(object.name);
    for (const std::string& prefix : top.prefixes)
      if (std::ranges::find(kOurPrefixes, prefix) == kOurPrefixes.end()) report_.add_foreign(prefix);
    if (!repository_.encrypted()) return {};
    const auto slots = storage::list_key_slots(store_, repository_);
    if (!slots.has_value())
      return judge_read(report_, "keys/", Error(slots.error()),
                        "remove the slot with anclora key remove, and add a new one with anclora key add");
    report_.counts.key_slots = slots->size();
    for (const storage::KeySlotInfo& slot : *slots) report_.key_slots.push_back(slot.slot);
    return compare_key_slots(earlier_, store_, report_);
  }

  // Opens a small object under its name.
  Status open_sealed(const ObjectInfo& object, const std::string& advice) {
    const auto open = [&]() -> Status {
      ASSIGN_OR_RETURN(const Bytes sealed, store_.get(object.name));
      ++report_.counts.objects_read;
      report_.counts.bytes_read += sealed.size();
      if (const auto content = storage::open_object(repository_.key(), object.name, sealed); !content)
        return content.error();
      return {};
    };
    return judge_read(report_, object.name, open(), advice);
  }

  Status check_source(const std::string& source) {
    ++report_.counts.sources;
    const std::string prefix = storage::layout::source_prefix(source);
    auto state = storage::load_source_state(store_, repository_, source, storage::DamagedTail::kStepBack);
    if (!state.has_value()) {
      RETURN_IF_ERROR(
          judge_read(report_, prefix, Error(state.error()),
                     "the source cannot be restored from here: use a mirror, and start capture under a new name"));
      return {};
    }
    ASSIGN_OR_RETURN(const storage::Listing listing, store_.list(prefix, false));
    foreign_of(listing);
    for (const storage::DamagedObject& damaged : state->damaged_checkpoints)
      report_.add_bad(damaged.object, damaged.problem, checkpoint_advice());
    ASSIGN_OR_RETURN(const std::vector<std::string> displaced, storage::displaced_pins(store_, source));
    for (const std::string& pin : displaced)
      report_.add_bad(pin, std::string(storage::kDisplacedPin), std::string(storage::kDisplacedPinHint));
    Logs logs;
    for (const TimelineState& timeline : state->timelines)
      logs.try_emplace(timeline.id, store_, repository_, *state, timeline, report_);
    BasesThere bases_there;
    for (const ObjectInfo& object : listing.objects) {
      ++report_.counts.objects_listed;
      RETURN_IF_ERROR(check_object(*state, prefix, object, logs, bases_there));
      if (options_.on_progress) options_.on_progress(report_.counts);
    }
    for (auto& [id, log] : logs) log.finish();
    RETURN_IF_ERROR(compare(*state));
    return check_bases(*state, bases_there);
  }

  Status compare(const SourceState& state) {
    SeenSource newest{state.source, state.head ? state.head->timeline.value : 0, state.head ? state.head->sequence : 0,
                      state.checkpoint_ordinal};
    const std::uint64_t faults = report_.bad_count;
    for (const Sighting& sighting : sightings_) {
      const SeenSource& seen = sighting.seen;
      if (seen.name != state.source) continue;
      RETURN_IF_ERROR(compare_with(sighting, store_, state, report_));
      newest.checkpoint = std::max(newest.checkpoint, seen.checkpoint);
      if (std::tie(seen.timeline, seen.sequence) > std::tie(newest.timeline, newest.sequence))
        std::tie(newest.timeline, newest.sequence) = std::tie(seen.timeline, seen.sequence);
    }
    if (report_.bad_count == faults) compare_with_bases(state, report_);
    report_.heads.push_back(std::move(newest));
    return {};
  }

  Status check_object(const SourceState& state, const std::string& prefix, const ObjectInfo& object, Logs& logs,
                      BasesThere& bases_there) {
    const auto parts = split(std::string_view(object.name).substr(prefix.size()), '/');
    if (parts[0] == "checkpoint") {
      ++report_.counts.checkpoints;
      const bool told = std::ranges::find(state.damaged_checkpoints, object.name, &storage::DamagedObject::object) !=
                        state.damaged_checkpoints.end();
      return told ? Status() : open_sealed(object, "newer checkpoints do not need it: expire will remove it");
    }
    if (parts[0] == "pin" && parts.size() == 2) return check_pin(state, object, std::string(parts[1]));
    const auto timeline = whole_number<std::uint32_t>(parts[0]);
    const bool ours = timeline && parts.size() >= 3;
    const auto log = ours ? logs.find(storage::TimelineId{*timeline}) : logs.end();
    if (ours && log == logs.end()) {
      if (!recent(object)) report_.add_uncounted(object.name);
      return {};
    }
    if (ours && parts[1] == "log" && parts.size() == 3)
      if (const auto sequence = whole_number<std::uint64_t>(parts[2]))
        return check_entry(log->second, object, *sequence);
    if (ours && parts[1] == "pack" && parts.size() == 3) {
      const auto ends = split(parts[2], '-');
      const auto first = whole_number<std::uint64_t>(ends[0]);
      const auto last = whole_number<std::uint64_t>(ends.back());
      if (ends.size() == 2 && first && last && *first <= *last)
        return check_pack(state, log->first, log->second, object, *first, *last);
    }
    if (ours && parts[1] == "base") {
      BaseThere& there = bases_there[{log->first, std::string(parts[2])}];
      there.recent = recent(object);
      if (parts.back() != "manifest") there.part_bytes += object.size_bytes;
      return {};
    }
    if (ours && parts[1] == "side") {
      ++report_.counts.sides;
      return sampled(object.name) ? open_sealed(object, "the base beside it is not touched by this") : Status();
    }
    report_.add_foreign(object.name);
    return {};
  }

  static std::string checkpoint_advice() {
    return "nothing to do while capture runs: its next checkpoint makes up for it; else run anclora expire, or copy it "
           "from a mirror";
  }

  Status check_entry(LogCheck& log, const ObjectInfo& object, std::uint64_t sequence) {
    log.note_entry(sequence);
    return sampled(object.name) ? log.check_entry(object.name, sequence) : Status();
  }

  // Only what a checkpoint names stands for its entries.
  Status check_pack(const SourceState& state, storage::TimelineId id, LogCheck& log, const ObjectInfo& object,
                    std::uint64_t first, std::uint64_t last) {
    const TimelineState* timeline = find_timeline(state, id);
    const bool counts = std::ranges::any_of(timeline->packs, [&](const storage::PackInfo& pack) {
      return pack.first_sequence == first && pack.last_sequence == last;
    });
    if (counts) log.note_pack(first, last);
    return sampled(object.name) ? log.check_pack(object, recent(object), first, last) : Status();
  }

  Status check_pin(const SourceState& state, const ObjectInfo& object, const std::string& name) {
    ++report_.counts.pins;
    ++report_.counts.objects_read;
    const auto pin = storage::read_pin(store_, repository_, state.source, name);
    if (!pin.has_value())
      return judge_read(report_, object.name, Error(pin.error()), "tag the same position again under another name");
    const auto route = route_to(state, pin->position);
    if (!route.has_value())
      report_.add_bad(object.name,
                      fmt::format("it names {}, which cannot be restored: {}", storage::to_string(pin->position),
                                  route.error().message()),
                      "see what can be restored: anclora history");
    return {};
  }

  Status check_bases(const SourceState& state, BasesThere& bases_there) {
    for (const TimelineState& timeline : state.timelines) {
      for (const BaseInfo& base : timeline.bases) {
        const std::string prefix = base_prefix(state, base);
        ++report_.counts.bases;
        const auto there = bases_there.extract({timeline.id, base.name});
        if (there.empty()) {
          report_.add_bad(prefix, "the base is missing", base_advice());
        } else if (sampled(prefix)) {
          RETURN_IF_ERROR(check_base(state, base, prefix, there.mapped().part_bytes));
        }
      }
    }
    for (const auto& [base, there] : bases_there)
      if (!there.recent) report_.add_uncounted(storage::layout::base_prefix(state.source, base.first, base.second));
    return {};
  }

  static std::string base_prefix(const SourceState& state, const BaseInfo& base) {
    const std::string manifest = storage::layout::base_manifest(state.source, base.timeline, base.name);
    return manifest.substr(0, manifest.rfind('/') + 1);
  }

  static std::string base_advice() {
    return "make a new one at once: anclora verify --restore --publish-base (from an older base), or restart capture "
           "with --base-from source --base-every 1m";
  }

  Status check_base(const SourceState& state, const BaseInfo& base, const std::string& prefix,
                    std::uint64_t part_bytes) {
    const auto read = [&]() -> Status {
      ASSIGN_OR_RETURN(auto reader, storage::BaseReader::open(store_, repository_, state.source, base));
      redis::RdbSummary summary;
      Bytes buffer;
      while (true) {
        buffer.clear();
        ASSIGN_OR_RETURN(const std::size_t size, reader.read(buffer));
        if (size == 0) break;
        RETURN_IF_ERROR(summary.feed(buffer));
      }
      report_.counts.objects_read += base.parts + 1;
      report_.counts.bytes_read += base.stored_bytes;
      ASSIGN_OR_RETURN(const redis::RdbFacts facts, summary.finish());
      if (facts.size_bytes != base.rdb_bytes || facts.checksum_value != base.rdb_crc64)
        return Error(ErrorKind::kDataLoss, "its RDB is not the one that was announced");
      // Its reader asks for what was written, and no more.
      if (part_bytes != base.stored_bytes)
        return Error(ErrorKind::kDataLoss, fmt::format("its parts hold {} bytes, {} were written: something was added",
                                                       part_bytes, base.stored_bytes));
      return {};
    };
    const Status status = read();
    if (!status.has_value() && status.error().kind() == ErrorKind::kNotFound) {
      report_.add_bad(prefix, status.error().message(), base_advice());
      return {};
    }
    return judge_read(report_, prefix, status, base_advice());
  }

  Status check_records() {
    ASSIGN_OR_RETURN(const storage::Listing listing, store_.list("records/", false));
    foreign_of(listing);
    for (const ObjectInfo& object : listing.objects) {
      ++report_.counts.objects_listed;
      ++report_.counts.records;
      if (sampled(object.name)) RETURN_IF_ERROR(open_sealed(object, "a record of the past: no restore needs it"));
    }
    return {};
  }

  storage::ReadStore& store_;
  const storage::Repository& repository_;
  Clock& clock_;
  const VerifyOptions& options_;
  VerifyReport report_;
  EarlierVerification earlier_;
  std::vector<Sighting> sightings_;
  WallTime begun_;  // by the store's clock
};

}  // namespace

Result<VerifyReport> verify_repository(storage::ReadStore& store, const storage::Repository& repository, Clock& clock,
                                       const VerifyOptions& options) {
  if (!(options.percent > 0 && options.percent <= 100))
    return Error(ErrorKind::kInvalidArgument, "the part to read is not between 0 and 100 percent",
                 "write --read-data 5%");
  return Verifier(store, repository, clock, options).run();
}

Result<std::string> write_verify_record(storage::AppendStore& store, const storage::Repository& repository,
                                        const VerifyReport& report, Random& random) {
  std::string id = format_rfc3339(report.started);
  std::erase_if(id, [](char letter) { return letter == ':' || letter == '-'; });
  std::string name = storage::layout::record("verify", fmt::format("{}-{}", id, to_hex(random.bytes(4))));
  ASSIGN_OR_RETURN(const Bytes sealed, storage::seal_object(repository.key(), name, to_json(report), random));
  ASSIGN_OR_RETURN(const storage::PutOutcome outcome, store.put_if_absent(name, sealed));
  if (outcome == storage::PutOutcome::kExists)
    return Error(ErrorKind::kAlreadyExists, name + " is taken", "run the verification again");
  return name;
}

}  // namespace anclora::protect
