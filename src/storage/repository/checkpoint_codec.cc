#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "storage/repository/base_info_json.h"
#include "storage/repository/checkpoint.h"
#include "storage/repository/json_fields.h"

namespace anclora::storage {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kFormat = 1;

Json position_json(const Position& position) {
  return {{"timeline", position.timeline.value}, {"offset", position.offset.value}};
}

Position read_position(const Json& json) {
  return {TimelineId{number32_of(json, "timeline")}, offset_of(json, "offset")};
}

Json origin_json(const Origin& origin) {
  static constexpr const char* kNames[] = {"first", "gap", "fork"};
  return {{"kind", kNames[static_cast<std::size_t>(origin.kind) - 1]},
          {"previous", position_json(origin.previous)},
          {"previous_time", format_rfc3339(origin.previous_time)},
          {"reason", origin.reason}};
}

Origin read_origin(const Json& json) {
  Origin origin;
  const std::string kind = text_of(json, "kind");
  if (kind == "first") {
    origin.kind = OriginKind::kFirst;
  } else if (kind == "gap") {
    origin.kind = OriginKind::kGap;
  } else if (kind == "fork") {
    origin.kind = OriginKind::kFork;
  } else {
    refuse_document("field \"kind\" of an origin is unknown");
  }
  origin.previous = read_position(member(json, "previous"));
  origin.previous_time = time_of(json, "previous_time");
  origin.reason = text_of(json, "reason");
  return origin;
}

Json opened_json(const TimelineState& timeline) {
  return {{"timeline", timeline.id.value},
          {"origin", origin_json(timeline.origin)},
          {"replication_id", timeline.replication_id},
          {"start", timeline.start.value},
          {"opened", format_rfc3339(timeline.opened)}};
}

TimelineState read_opened(const Json& json) {
  TimelineState timeline;
  timeline.id = TimelineId{number32_of(json, "timeline")};
  timeline.origin = read_origin(member(json, "origin"));
  timeline.replication_id = text_of(json, "replication_id");
  timeline.start = timeline.first_kept = offset_of(json, "start");
  timeline.opened = time_of(json, "opened");
  return timeline;
}

Json pack_json(const PackInfo& pack) {
  return {{"timeline", pack.timeline.value},
          {"first_sequence", pack.first_sequence},
          {"last_sequence", pack.last_sequence},
          {"first", pack.first.value},
          {"last", pack.last.value},
          {"first_time", format_rfc3339(pack.first_time)},
          {"last_time", format_rfc3339(pack.last_time)},
          {"stored_bytes", pack.stored_bytes},
          {"predecessor", to_hex(pack.predecessor)},
          {"last_hash", to_hex(pack.last_hash)}};
}

PackInfo read_pack(const Json& json) {
  PackInfo pack;
  pack.timeline = TimelineId{number32_of(json, "timeline")};
  pack.first_sequence = number_of(json, "first_sequence", INT64_MAX);
  pack.last_sequence = number_of(json, "last_sequence", INT64_MAX);
  pack.first = offset_of(json, "first");
  pack.last = offset_of(json, "last");
  pack.first_time = time_of(json, "first_time");
  pack.last_time = time_of(json, "last_time");
  pack.stored_bytes = number_of(json, "stored_bytes", INT64_MAX);
  pack.predecessor = hash_of(json, "predecessor");
  pack.last_hash = hash_of(json, "last_hash");
  if (pack.last_sequence < pack.first_sequence) refuse_document("a pack ends before it begins");
  return pack;
}

Json end_json(const TimelineEnd& end) {
  return {{"timeline", end.timeline.value}, {"sequence", end.sequence},
          {"hash", to_hex(end.hash)},       {"last", end.last.value},
          {"boundary", end.boundary.value}, {"time", format_rfc3339(end.time)},
          {"reason", end.reason},           {"replication_id", end.replication_id}};
}

TimelineEnd read_end(const Json& json) {
  TimelineEnd end;
  end.timeline = TimelineId{number32_of(json, "timeline")};
  end.sequence = number_of(json, "sequence", INT64_MAX);
  end.hash = hash_of(json, "hash");
  end.last = offset_of(json, "last");
  end.boundary = offset_of(json, "boundary");
  end.time = time_of(json, "time");
  end.reason = text_of(json, "reason");
  end.replication_id = text_of(json, "replication_id");
  return end;
}

template <class T, class ToJson>
void put_list(Json& out, const char* name, const std::vector<T>& items, ToJson to_json) {
  if (items.empty()) return;
  Json& list = out[name] = Json::array();
  for (const T& item : items) list.push_back(to_json(item));
}

template <class T, class ToJson>
ListToWrite long_list(const char* name, const std::vector<T>& items, ToJson to_json) {
  return {name, items.size(), [&items, to_json](std::size_t at) { return to_json(items[at]); }};
}

template <class T, class Read>
LongList into(const char* name, std::vector<T>& items, Read read) {
  return {name, [&items, read](const Json& item) { items.push_back(read(item)); }};
}

template <class T, class Read>
void get_list(const Json& json, const char* name, std::vector<T>& items, Read read) {
  for (const Json& item : list_of(json, name)) items.push_back(read(item));
}

Json timeline_json(TimelineId timeline) { return timeline.value; }

TimelineId read_timeline(const Json& json) {
  if (!json.is_number_unsigned() || json.get<std::uint64_t>() > UINT32_MAX) refuse_document("not a timeline's number");
  return TimelineId{json.get<std::uint32_t>()};
}

Json retired_json(const RetiredObject& retired) {
  return {{"object", retired.object_prefix}, {"retired", format_rfc3339(retired.retired)}};
}

RetiredObject read_retired(const Json& json) { return {text_of(json, "object"), time_of(json, "retired")}; }

std::string read_text(const Json& json) {
  if (!json.is_string()) refuse_document("not a string");
  return json.get<std::string>();
}

Json first_kept_json(const std::map<std::uint32_t, std::pair<std::uint64_t, redis::Offset>>& first_kept) {
  Json list = Json::array();
  for (const auto& [timeline, kept] : first_kept)
    list.push_back({{"timeline", timeline}, {"sequence", kept.first}, {"offset", kept.second.value}});
  return list;
}

std::map<std::uint32_t, std::pair<std::uint64_t, redis::Offset>> read_first_kept(const Json& json) {
  std::map<std::uint32_t, std::pair<std::uint64_t, redis::Offset>> first_kept;
  for (const Json& kept : list_of(json, "first_kept"))
    first_kept[number32_of(kept, "timeline")] = {number_of(kept, "sequence", INT64_MAX), offset_of(kept, "offset")};
  return first_kept;
}

Json retirement_json(const Retirement& retirement) {
  Json json = {{"mark", retirement.mark}};
  put_list(json, "bases", retirement.bases, base_info_json);
  put_list(json, "packs", retirement.packs, pack_json);
  put_list(json, "timelines", retirement.timelines, timeline_json);
  if (!retirement.first_kept.empty()) json["first_kept"] = first_kept_json(retirement.first_kept);
  return json;
}

Retirement read_retirement(const Json& json) {
  Retirement retirement;
  retirement.mark = text_of(json, "mark");
  get_list(json, "bases", retirement.bases, read_base_info_json);
  get_list(json, "packs", retirement.packs, read_pack);
  get_list(json, "timelines", retirement.timelines, read_timeline);
  retirement.first_kept = read_first_kept(json);
  return retirement;
}

void put_delta(Json& out, const CheckpointDelta& delta) {
  if (delta.url) out["url"] = *delta.url;
  put_list(out, "opened", delta.opened, opened_json);
  put_list(out, "bases", delta.bases, base_info_json);
  put_list(out, "closed", delta.closed, timeline_json);
  put_list(out, "ends", delta.ends, end_json);
  put_list(out, "retired_bases", delta.retired_bases, base_info_json);
  put_list(out, "retired_timelines", delta.retired_timelines, timeline_json);
  put_list(out, "deleted", delta.deleted, [](const std::string& name) { return Json(name); });
  if (!delta.first_kept.empty()) out["first_kept"] = first_kept_json(delta.first_kept);
  if (delta.retiring) out["retiring"] = retirement_json(*delta.retiring);
  if (!delta.retires_mark.empty()) out["retires_mark"] = delta.retires_mark;
}

CheckpointDelta read_delta(const Json& json) {
  CheckpointDelta delta;
  if (has_member(json, "url")) delta.url = text_of(json, "url");
  get_list(json, "opened", delta.opened, read_opened);
  get_list(json, "bases", delta.bases, read_base_info_json);
  get_list(json, "packs", delta.packs, read_pack);
  get_list(json, "closed", delta.closed, read_timeline);
  get_list(json, "ends", delta.ends, read_end);
  get_list(json, "retired_bases", delta.retired_bases, read_base_info_json);
  get_list(json, "retired_packs", delta.retired_packs, read_pack);
  get_list(json, "retired_timelines", delta.retired_timelines, read_timeline);
  get_list(json, "deleted", delta.deleted, read_text);
  delta.first_kept = read_first_kept(json);
  if (has_member(json, "retiring")) delta.retiring = read_retirement(member(json, "retiring"));
  if (has_member(json, "retires_mark")) delta.retires_mark = text_of(json, "retires_mark");
  return delta;
}

}  // namespace

Bytes encode_checkpoint(const Checkpoint& checkpoint) {
  Json out;
  put_delta(out, checkpoint.delta);
  out["format"] = kFormat;
  out["ordinal"] = checkpoint.ordinal;
  out["full"] = checkpoint.full;
  out["previous"] = to_hex(checkpoint.previous);
  out["written"] = format_rfc3339(checkpoint.written);
  out["writer"] = checkpoint.writer;
  if (checkpoint.rebuilt) out["rebuilt"] = format_rfc3339(*checkpoint.rebuilt);
  return document_text(std::move(out), {long_list("packs", checkpoint.delta.packs, pack_json),
                                        long_list("retired", checkpoint.retired, retired_json),
                                        long_list("retired_packs", checkpoint.delta.retired_packs, pack_json)});
}

Result<Checkpoint> decode_checkpoint(ByteView content, std::string_view object_name) {
  Checkpoint checkpoint;
  std::uint64_t format = kFormat;
  // A year of packs, read as one tree, would take ten times its memory.
  std::vector<PackInfo> packs, retired_packs;
  std::vector<RetiredObject> retired;
  const std::vector<LongList> lists = {into("packs", packs, read_pack), into("retired_packs", retired_packs, read_pack),
                                       into("retired", retired, read_retired)};
  const Status read = read_document(content, object_name, lists, [&](const Json& json) {
    format = number_of(json, "format");
    if (format != kFormat) return;
    checkpoint.ordinal = number_of(json, "ordinal", INT64_MAX);
    checkpoint.full = flag_of(json, "full");
    checkpoint.previous = hash_of(json, "previous");
    checkpoint.written = time_of(json, "written");
    checkpoint.writer = text_of(json, "writer");
    checkpoint.delta = read_delta(json);
    // Only what is no object is left in the document of a long list: it is refused here, as in read_delta().
    get_list(json, "retired", checkpoint.retired, read_retired);
    if (has_member(json, "rebuilt")) checkpoint.rebuilt = time_of(json, "rebuilt");
  });
  if (format != kFormat) {
    return Error(ErrorKind::kUnsupported,
                 fmt::format("{} is a checkpoint of format {}, this program reads {}", object_name, format, kFormat),
                 "install the release of anclora that wrote it, or a later one");
  }
  RETURN_IF_ERROR(read);
  checkpoint.delta.packs = std::move(packs);
  checkpoint.delta.retired_packs = std::move(retired_packs);
  checkpoint.retired = std::move(retired);
  return checkpoint;
}

}  // namespace anclora::storage
