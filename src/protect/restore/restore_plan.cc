#include "protect/restore/restore_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "redis/rdb/rdb_versions.h"
#include "storage/repository/log_reader.h"

namespace anclora::protect {
namespace {

using storage::PackInfo;
using storage::SourceState;
using storage::TimelineState;

// Stored bytes to a byte of stream, where a timeline has no pack that would tell.
constexpr double kTypicalStoredShare = 1.0 / 6;

Duration seconds_for(std::uint64_t bytes, std::uint64_t bytes_per_second) {
  return Duration(static_cast<std::int64_t>(static_cast<double>(bytes) / static_cast<double>(bytes_per_second) * 1e6));
}

std::uint64_t share_of(std::uint64_t bytes, double share) {
  return static_cast<std::uint64_t>(static_cast<double>(bytes) * share);
}

// How much this timeline's stream takes in the repository, by its packs.
double stored_share(const TimelineState& timeline) {
  std::uint64_t stream = 0, stored = 0;
  for (const PackInfo& pack : timeline.packs) {
    stream += pack.last - pack.first;
    stored += pack.stored_bytes;
  }
  return stream == 0 ? kTypicalStoredShare : static_cast<double>(stored) / static_cast<double>(stream);
}

// Of a pack that is read up to `to`: whole pieces, until the one that holds that.
std::uint64_t read_of(const PackInfo& pack, redis::Offset to) {
  if (pack.last <= to) return pack.stored_bytes;
  const double share = static_cast<double>(to - pack.first) / static_cast<double>(pack.last - pack.first);
  const std::uint64_t pieces = share_of(pack.stored_bytes, share) / storage::kPackFetchBytes + 1;
  return std::min(pack.stored_bytes, pieces * storage::kPackFetchBytes);
}

// Adds what holds the stretch: the packs, and the entries behind the last one.
void add_reads(RestorePlan& plan, const SourceState& state, const TimelineState& timeline,
               const StreamStretch& stretch) {
  redis::Offset packed_up_to = stretch.from;
  std::uint64_t next_sequence = timeline.first_kept_sequence;
  for (const PackInfo& pack : timeline.packs) {
    next_sequence = pack.last_sequence + 1;
    if (pack.last <= stretch.from || pack.first >= stretch.to) continue;
    packed_up_to = std::max(packed_up_to, pack.last);
    plan.packs.push_back(
        {storage::layout::pack(state.source, timeline.id, pack.first_sequence, pack.last_sequence), pack.stored_bytes});
    plan.fetch_bytes += read_of(pack, stretch.to);
  }
  if (packed_up_to >= stretch.to) return;
  if (state.head && state.head->timeline == timeline.id && state.head->sequence >= next_sequence)
    plan.entries += state.head->sequence - next_sequence + 1;
  plan.fetch_bytes += share_of(stretch.to - packed_up_to, stored_share(timeline));
}

std::uint64_t memory_for(const storage::BaseInfo& base, std::uint64_t stream_bytes) {
  // An RDB of plain job-shaped hashes takes about 1.4 times its size in memory; what the stream adds is at most itself.
  const std::uint64_t loaded = base.used_memory_bytes != 0 ? base.used_memory_bytes : base.rdb_bytes * 3 / 2;
  return loaded + std::min(stream_bytes, loaded);
}

Distance distance_to_newest(const SourceState& state, const RecoveryPoint& point) {
  Distance distance{point.position, point.time};
  const auto newest = newest_window(state);
  if (!newest) return distance;
  distance.newest = newest->to;
  distance.newest_time = newest->to_time;
  distance.behind = std::max(Duration::zero(), newest->to_time - point.time);
  distance.same_timeline = newest->to.timeline == point.position.timeline;
  if (distance.same_timeline) distance.bytes = newest->to.offset - point.position.offset;
  return distance;
}

}  // namespace

Result<RestorePlan> make_restore_plan(const SourceState& state, const RecoveryPoint& point) {
  RestorePlan plan;
  plan.source = state.source;
  plan.point = point;
  ASSIGN_OR_RETURN(plan.route, route_to(state, point.position));
  plan.distance = distance_to_newest(state, point);
  plan.fetch_bytes = plan.route.base.stored_bytes;
  for (const StreamStretch& stretch : plan.route.stretches)
    if (const TimelineState* timeline = find_timeline(state, stretch.timeline))
      add_reads(plan, state, *timeline, stretch);
  plan.expected = seconds_for(plan.route.base.rdb_bytes, kBaseBytesPerSecond) +
                  seconds_for(plan.route.stream_bytes(), kStreamBytesPerSecond);
  plan.memory_bytes = memory_for(plan.route.base, plan.route.stream_bytes());
  return plan;
}

std::string to_text(const RestorePlan& plan) {
  const storage::BaseInfo& base = plan.route.base;
  const auto saver = redis::product_of(redis::rdb_magic_of(base.rdb_version), base.redis_version);
  std::string text = fmt::format("restore of {} to {}, {} ({})\n", plan.source, storage::to_string(plan.point.position),
                                 format_rfc3339(plan.point.time), to_string(plan.point.exactness));
  text += fmt::format("  base     {}/{} of {}: {}, RDB {} of {}, made by {}\n", base.timeline.value, base.name,
                      format_rfc3339(base.time), format_size(base.rdb_bytes), base.rdb_version,
                      saver ? saver->to_string() : "an unknown server", base.origin);
  text += fmt::format("  stream   {} to replay", format_size(plan.route.stream_bytes()));
  for (const StreamStretch& stretch : plan.route.stretches)
    text += fmt::format("{} {}/{}..{}", &stretch == plan.route.stretches.data() ? ":" : ",", stretch.timeline.value,
                        stretch.from.value, stretch.to.value);
  text += fmt::format("\n  reads    {} base parts, {} packs, {} single entries: about {}\n", base.parts,
                      plan.packs.size(), plan.entries, format_size(plan.fetch_bytes));
  text += fmt::format("  expected {}, {} of memory in the target\n",
                      plan.expected < std::chrono::seconds(1) ? "under a second" : format_duration(plan.expected),
                      format_size(plan.memory_bytes));
  if (plan.scratch_server)
    text += fmt::format("  scratch  a throw-away redis-server on this machine takes the same memory meanwhile\n");
  if (plan.distance.same_timeline && plan.distance.bytes == 0) return text + "  gives up nothing that is protected\n";
  text +=
      fmt::format("  gives up what came after it: {}{}, up to {} of {}\n", format_duration(plan.distance.behind),
                  plan.distance.same_timeline ? ", " + format_size(plan.distance.bytes) + " of stream" : std::string(),
                  storage::to_string(plan.distance.newest), format_rfc3339(plan.distance.newest_time));
  return text;
}

std::string to_json(const RestorePlan& plan) {
  const storage::BaseInfo& base = plan.route.base;
  nlohmann::json packs = nlohmann::json::array();
  for (const PlannedPack& pack : plan.packs) packs.push_back({{"object", pack.object}, {"bytes", pack.stored_bytes}});
  nlohmann::json stretches = nlohmann::json::array();
  for (const StreamStretch& stretch : plan.route.stretches)
    stretches.push_back({{"timeline", stretch.timeline.value}, {"from", stretch.from.value}, {"to", stretch.to.value}});
  const nlohmann::json json = {
      {"source", plan.source},
      {"position", storage::to_string(plan.point.position)},
      {"time", format_rfc3339(plan.point.time)},
      {"exactness", to_string(plan.point.exactness)},
      {"base",
       {{"name", base.name},
        {"timeline", base.timeline.value},
        {"offset", base.offset.value},
        {"time", format_rfc3339(base.time)},
        {"rdb_bytes", base.rdb_bytes},
        {"rdb_version", base.rdb_version},
        {"redis_version", base.redis_version},
        {"origin", base.origin},
        {"parts", base.parts}}},
      {"stream", {{"bytes", plan.route.stream_bytes()}, {"stretches", stretches}}},
      {"packs", packs},
      {"entries", plan.entries},
      {"fetch_bytes", plan.fetch_bytes},
      {"expected_seconds", static_cast<double>(plan.expected.count()) / 1e6},
      {"memory_bytes", plan.memory_bytes},
      {"scratch_server", plan.scratch_server},
      {"newest_position", storage::to_string(plan.distance.newest)},
      {"newest_time", format_rfc3339(plan.distance.newest_time)},
      {"gives_up_seconds", static_cast<double>(plan.distance.behind.count()) / 1e6},
      {"gives_up_bytes", plan.distance.bytes},
  };
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace anclora::protect
