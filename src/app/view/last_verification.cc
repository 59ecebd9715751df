#include "app/view/last_verification.h"

#include <nlohmann/json.hpp>
#include <ranges>

#include "storage/repository/record.h"

namespace anclora::app {
namespace {

constexpr std::size_t kMostDamaged = 8;  // each costs a request, and one is enough to say that something is wrong

Result<LastVerification> read_verification(storage::ReadStore& store, const storage::Repository& repository,
                                           const std::string& id) {
  ASSIGN_OR_RETURN(const Bytes text, storage::read_record(store, repository, "verify", id));
  const Error malformed(ErrorKind::kDataLoss, "it is not a verification record", "run anclora verify");
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("ok") || !json["ok"].is_boolean() || !json.contains("started") ||
      !json["started"].is_string())
    return malformed;
  const Result<WallTime> time = parse_rfc3339(json["started"].get<std::string>());
  if (!time) return malformed;
  return LastVerification{*time, json["ok"].get<bool>()};
}

}  // namespace

Result<VerificationLook> last_verification(storage::ReadStore& store, const storage::Repository& repository) {
  ASSIGN_OR_RETURN(const auto ids, storage::list_records(store, "verify"));
  VerificationLook look;
  for (const std::string& id : ids | std::views::reverse) {
    const Result<LastVerification> read = read_verification(store, repository, id);
    if (read) {
      look.last = *read;
      break;
    }
    const ErrorKind kind = read.error().kind();
    if (kind == ErrorKind::kNotFound || kind == ErrorKind::kInvalidArgument) continue;  // gone, or a foreign name
    if (kind != ErrorKind::kDataLoss) return read.error();
    look.damaged.push_back({"records/verify/" + id, read.error().message()});
    if (look.damaged.size() == kMostDamaged) break;
  }
  return look;
}

}  // namespace anclora::app
