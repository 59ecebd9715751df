#include "app/view/last_verification.h"

#include <nlohmann/json.hpp>

#include "storage/repository/record.h"

namespace anclora::app {
namespace {

Error malformed(const std::string& id) {
  return Error(ErrorKind::kDataLoss, "records/verify/" + id + " is not a verification record", "run anclora verify");
}

}  // namespace

Result<std::optional<LastVerification>> last_verification(storage::ReadStore& store,
                                                          const storage::Repository& repository) {
  ASSIGN_OR_RETURN(const auto ids, storage::list_records(store, "verify"));
  if (ids.empty()) return std::optional<LastVerification>();
  ASSIGN_OR_RETURN(const Bytes text, storage::read_record(store, repository, "verify", ids.back()));
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("ok") || !json["ok"].is_boolean() || !json.contains("started") ||
      !json["started"].is_string())
    return malformed(ids.back());
  ASSIGN_OR_RETURN(const WallTime time, parse_rfc3339(json["started"].get<std::string>()));
  return std::optional<LastVerification>(LastVerification{time, json["ok"].get<bool>()});
}

}  // namespace anclora::app
