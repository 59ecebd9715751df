#include "respond/incident/incident_anchor.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "storage/repository/record.h"

namespace anclora::respond {
namespace {

constexpr std::string_view kKind = "incident-tip";

Result<IncidentAnchor> decode(const std::string& id, ByteView text) {
  try {
    const auto json = nlohmann::json::parse(text);
    ASSIGN_OR_RETURN(const WallTime time, parse_rfc3339(json.at("time").get<std::string>()));
    return IncidentAnchor{json.at("records").get<std::uint64_t>(), json.at("hash").get<std::string>(), time};
  } catch (const nlohmann::json::exception& error) {
    return Error(ErrorKind::kDataLoss, fmt::format("{}/{}: {}", kKind, id, error.what()));
  }
}

}  // namespace

Status write_anchor(storage::AppendStore& store, const storage::Repository& repository, const std::string& incident,
                    const IncidentAnchor& anchor, Random& random) {
  const nlohmann::ordered_json json = {{"format", 1},
                                       {"incident", incident},
                                       {"records", anchor.records},
                                       {"hash", anchor.hash},
                                       {"time", format_rfc3339(anchor.time)}};
  const Status written = storage::write_record(store, repository, kKind,
                                               fmt::format("{}.{:010}", incident, anchor.records), json.dump(), random);
  if (!written && written.error().kind() == ErrorKind::kAlreadyExists) return {};
  return written;
}

Result<std::vector<IncidentAnchor>> read_anchors(storage::ReadStore& store, const storage::Repository& repository,
                                                 const std::string& incident) {
  std::vector<IncidentAnchor> anchors;
  ASSIGN_OR_RETURN(const std::vector<std::string> ids, storage::list_records(store, kKind));
  for (const std::string& id : ids) {
    if (!id.starts_with(incident + ".")) continue;
    ASSIGN_OR_RETURN(const Bytes text, storage::read_record(store, repository, kKind, id));
    ASSIGN_OR_RETURN(IncidentAnchor anchor, decode(id, text));
    anchors.push_back(std::move(anchor));
  }
  return anchors;
}

}  // namespace anclora::respond
