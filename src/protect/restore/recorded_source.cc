#include "protect/restore/recorded_source.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ranges>

#include "redis/client/info.h"

namespace anclora::protect {
namespace {

std::string info_text(const std::string& side_json) {
  const auto side = nlohmann::json::parse(side_json, nullptr, false);
  if (!side.is_object()) return {};
  const auto info = side.find("info");
  return info != side.end() && info->is_string() ? info->get<std::string>() : std::string();
}

bool surely_loads(const RecordedSource& source, const redis::RdbMagic& rdb) {
  if (source.server && redis::loads_rdb(*source.server, rdb)) return true;
  // The source sent that one, or it was made for it.
  return source.newest_base && source.newest_base->valkey == rdb.valkey && rdb.version <= source.newest_base->version;
}

}  // namespace

Result<RecordedSource> recorded_source(const SourceView& source) {
  RecordedSource recorded;
  const auto& timelines = source.state.timelines;
  const auto holder = std::ranges::find_if(std::views::reverse(timelines),
                                           [](const storage::TimelineState& each) { return !each.bases.empty(); });
  if (holder == timelines.rend()) return recorded;
  const storage::BaseInfo& newest = holder->bases.back();
  recorded.newest_base = redis::rdb_magic_of(newest.rdb_version);
  const std::string name = storage::layout::side(source.state.source, newest.timeline, newest.name);
  const auto sealed = source.store.get(name);
  if (!sealed) {
    if (sealed.error().kind() == ErrorKind::kNotFound) return recorded;
    return sealed.error();
  }
  const auto side = storage::open_object(source.repository.key(), name, *sealed);
  if (!side) return recorded;  // damaged: verify tells
  const redis::Info info = redis::Info::parse(info_text(*side));
  recorded.server = redis::product_of(info);
  recorded.unchanged = info.is_primary() && info.replid() == timelines.back().replication_id;
  return recorded;
}

std::string doubt_of(const RecordedSource& source, const storage::BaseInfo& base) {
  const redis::RdbMagic rdb = redis::rdb_magic_of(base.rdb_version);
  if (surely_loads(source, rdb)) return {};
  const std::string is = fmt::format("base {} is {}: ", base.name, rdb.to_string());
  if (!source.server)
    return is +
           "which version the source is, is not recorded, and no base of it was that new; if it cannot load this, "
           "give a redis-server of its version with --redis-server";
  return is + fmt::format(
                  "the source was {} when it last sent a base, could not load this then, and whether it was upgraded "
                  "since is not recorded; if not, give a redis-server of its version with --redis-server",
                  source.server->to_string());
}

}  // namespace anclora::protect
