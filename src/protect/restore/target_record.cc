#include "protect/restore/target_record.h"

#include <nlohmann/json.hpp>

namespace anclora::protect {
namespace {

constexpr int kFormat = 1;
constexpr std::uint64_t kMaxRecordBytes = 256 * kKiB;
constexpr std::string_view kSuffix = ".json";

Error damaged(const std::string& what) {
  return Error(ErrorKind::kDataLoss, "the record of a restore's target is damaged: " + what,
               "remove the file; the target's settings must then be looked after by hand");
}

Result<ChangedSetting> setting_of(const nlohmann::json& json) {
  ASSIGN_OR_RETURN(Bytes before, from_hex(json.at("before").get<std::string>()));
  ASSIGN_OR_RETURN(Bytes set, from_hex(json.at("set").get<std::string>()));
  return ChangedSetting{json.at("name").get<std::string>(), Secret(std::move(before)), Secret(std::move(set))};
}

Result<TargetRecord> record_of(const nlohmann::json& json) {
  const int format = json.at("format").get<int>();
  if (format > kFormat)
    return Error(ErrorKind::kUnsupported, "the record of a restore's target was written by a newer version",
                 "use that version of anclora");
  TargetRecord record;
  record.target = json.at("target").get<std::string>();
  record.run_id = json.at("run_id").get<std::string>();
  record.address.host = json.at("host").get<std::string>();
  record.address.port = json.at("port").get<std::uint16_t>();
  record.point = json.at("point").get<std::string>();
  ASSIGN_OR_RETURN(record.started, parse_rfc3339(json.at("started").get<std::string>()));
  record.held_data = json.at("held_data").get<bool>();
  for (const nlohmann::json& each : json.at("settings")) {
    ASSIGN_OR_RETURN(ChangedSetting setting, setting_of(each));
    record.settings.push_back(std::move(setting));
  }
  return record;
}

}  // namespace

Bytes encode_target_record(const TargetRecord& record) {
  nlohmann::ordered_json settings = nlohmann::ordered_json::array();
  for (const ChangedSetting& setting : record.settings)
    settings.push_back({{"name", setting.name},
                        {"before", to_hex(ByteView(setting.before.reveal()))},
                        {"set", to_hex(ByteView(setting.set.reveal()))}});
  const nlohmann::ordered_json json = {{"format", kFormat},
                                       {"target", record.target},
                                       {"run_id", record.run_id},
                                       {"host", record.address.host},
                                       {"port", record.address.port},
                                       {"point", record.point},
                                       {"started", format_rfc3339(record.started)},
                                       {"held_data", record.held_data},
                                       {"settings", settings}};
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Result<TargetRecord> decode_target_record(ByteView bytes) {
  const auto json = nlohmann::json::parse(bytes, nullptr, false);
  if (!json.is_object()) return damaged("it is no JSON object");
  try {
    return record_of(json);
  } catch (const nlohmann::json::exception& error) {
    return damaged(error.what());
  }
}

std::string TargetRecords::path_of(const std::string& target) const {
  return folder_ + "/" + to_hex(hash256(target)).substr(0, 16);
}

Result<std::unique_ptr<FileLock>> TargetRecords::lock(const std::string& target) {
  RETURN_IF_ERROR(files_.create_directories(folder_));
  auto held = files_.lock(path_of(target) + ".lock");
  if (held || held.error().kind() != ErrorKind::kFailedPrecondition) return held;
  return Error(ErrorKind::kFailedPrecondition, "another restore into " + target + " is running",
               "wait for it, or end it");
}

Status TargetRecords::write(const TargetRecord& record) {
  const std::string path = path_of(record.target) + std::string(kSuffix);
  const std::string part = path + ".part";
  RETURN_IF_ERROR(files_.create_directories(folder_));
  // Of a restore that was killed while it wrote it.
  if (const Status gone = files_.remove(part); !gone && gone.error().kind() != ErrorKind::kNotFound) return gone;
  ASSIGN_OR_RETURN(const auto file, files_.create(part));
  Status status = file->append(encode_target_record(record));
  if (status) status = file->sync();
  if (status) status = file->close();
  if (status) status = files_.rename(part, path);
  if (!status) {
    ignore_result(files_.remove(part));  // what went wrong is told
    return status;
  }
  return files_.sync_directory(folder_);
}

Status TargetRecords::remove(const std::string& target) {
  const Status status = files_.remove(path_of(target) + std::string(kSuffix));
  if (status || status.error().kind() == ErrorKind::kNotFound) return {};
  return status;
}

Result<std::vector<TargetRecord>> TargetRecords::list() {
  std::vector<TargetRecord> records;
  const auto names = files_.list(folder_);
  if (!names) {
    if (names.error().kind() == ErrorKind::kNotFound) return records;
    return names.error();
  }
  for (const FileInfo& info : *names) {
    if (!info.is_regular || !info.name.ends_with(kSuffix)) continue;
    const auto bytes = files_.read_all(folder_ + "/" + info.name, kMaxRecordBytes);
    if (!bytes) continue;
    if (auto record = decode_target_record(*bytes)) records.push_back(std::move(*record));
  }
  return records;
}

}  // namespace anclora::protect
