#include "respond/drill/drill_folder.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/write_file.h"
#include "respond/runbook/run_folder.h"

namespace anclora::respond {
namespace {

constexpr std::uint64_t kMaxPlanBytes = 4 * kMiB;
constexpr std::size_t kMaxDrills = 100'000;
constexpr int kLockAttempts = 100;
constexpr std::size_t kMaxServiceDigits = 128;

std::string encode(const BegunDrill& begun) {
  const nlohmann::ordered_json json{{"v", 1},
                                    {"id", begun.id},
                                    {"scenario", begun.scenario},
                                    {"environment", begun.environment},
                                    {"service", begun.service},
                                    {"plan_file", begun.plan_file},
                                    {"plan_hash", begun.plan_hash},
                                    {"starter", begun.starter},
                                    {"runner", begun.runner},
                                    {"program", begun.program},
                                    {"started", format_rfc3339(begun.started)},
                                    {"prepare_run", begun.prepare_run},
                                    {"inject_run", begun.inject_run},
                                    {"recovery_run", begun.recovery_run},
                                    {"cleanup_run", begun.cleanup_run},
                                    {"work_folder", begun.work_folder}};
  return json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Result<BegunDrill> decode_begun(const std::string& path, ByteView bytes) {
  try {
    const auto json = nlohmann::json::parse(bytes);
    if (json.at("v").get<int>() != 1)
      return Error(ErrorKind::kUnsupported, path + ": written by another version", "install the newer anclora");
    BegunDrill begun;
    for (const auto& [name, field] :
         std::initializer_list<std::pair<const char*, std::string*>>{{"id", &begun.id},
                                                                     {"scenario", &begun.scenario},
                                                                     {"environment", &begun.environment},
                                                                     {"service", &begun.service},
                                                                     {"plan_file", &begun.plan_file},
                                                                     {"plan_hash", &begun.plan_hash},
                                                                     {"starter", &begun.starter},
                                                                     {"runner", &begun.runner},
                                                                     {"program", &begun.program},
                                                                     {"prepare_run", &begun.prepare_run},
                                                                     {"inject_run", &begun.inject_run},
                                                                     {"recovery_run", &begun.recovery_run},
                                                                     {"cleanup_run", &begun.cleanup_run},
                                                                     {"work_folder", &begun.work_folder}})
      *field = json.value(name, "");
    ASSIGN_OR_RETURN(begun.started, parse_rfc3339(json.at("started").get<std::string>()));
    return begun;
  } catch (const nlohmann::json::exception& error) {
    return Error(ErrorKind::kDataLoss, fmt::format("{}: {}", path, error.what()));
  }
}

// Names of the drills' folders. Nothing: there is no such folder.
Result<std::vector<std::string>> list_ids(FileSystem& files, const std::string& drills) {
  std::vector<std::string> ids;
  const auto entries = files.list(drills);
  if (!entries && entries.error().kind() == ErrorKind::kNotFound) return ids;
  if (!entries) return entries.error();
  for (const FileInfo& entry : *entries)
    if (entry.is_directory && check_run_id(entry.name)) ids.push_back(entry.name);
  if (ids.size() > kMaxDrills)
    return Error(ErrorKind::kResourceExhausted, fmt::format("{} holds {} drills", drills, ids.size()),
                 "move old ones away, the oldest first");
  return ids;
}

// Another process holds it for moments only.
Result<std::unique_ptr<FileLock>> lock_ledger(FileSystem& files, const std::string& drills) {
  for (int attempt = 0;; ++attempt) {
    auto lock = files.lock(drills + "/lock");
    if (lock || lock.error().kind() != ErrorKind::kFailedPrecondition || attempt == kLockAttempts) return lock;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

Result<std::vector<DecodedDrill>> read_all(FileSystem& files, const std::string& drills,
                                           std::vector<std::string>& damage) {
  std::vector<DecodedDrill> found;
  ASSIGN_OR_RETURN(const auto ids, list_ids(files, drills));
  for (const std::string& id : ids) {
    const std::string path = drills + "/" + id + "/record.json";
    auto bytes = files.read_all(path, kMaxDrillRecordBytes + 1);
    if (!bytes && bytes.error().kind() == ErrorKind::kNotFound) continue;
    if (!bytes && bytes.error().kind() != ErrorKind::kResourceExhausted) return bytes.error();
    if (bytes && bytes->ends_with('\n')) bytes->pop_back();
    auto decoded = bytes ? decode_drill_record(*bytes) : Result<DecodedDrill>(bytes.error());
    if (!decoded)
      damage.push_back(path + ": " + decoded.error().message());
    else if (decoded->record.id != id)
      damage.push_back(fmt::format("{}: it is the record of {}", path, decoded->record.id));
    else
      found.push_back(std::move(*decoded));
  }
  std::ranges::stable_sort(found, {}, [](const DecodedDrill& drill) { return drill.record.number; });
  return found;
}

}  // namespace

std::string make_drill_id(std::string_view scenario, WallTime now, Random& random) {
  return fmt::format("drill-{}-{:%Y%m%dT%H%M%SZ}-{}", scenario.substr(0, 60),
                     std::chrono::time_point_cast<std::chrono::seconds>(now), to_hex(random.bytes(2)));
}

Result<std::unique_ptr<FileLock>> lock_sandbox(FileSystem& files, const std::string& drills, const std::string& service,
                                               const std::string& environment) {
  RETURN_IF_ERROR(files.create_directories(drills));
  // A service's name may hold anything: as digits it leads nowhere else.
  const std::string name = to_hex(ByteView(service)).substr(0, kMaxServiceDigits) + "-" + environment;
  auto lock = files.lock(fmt::format("{}/sandbox-{}.lock", drills, name));
  if (lock || lock.error().kind() != ErrorKind::kFailedPrecondition) return lock;
  return Error(ErrorKind::kFailedPrecondition, "another drill runs, or is cleaned up after, in " + environment,
               "wait for its end: anclora drill list");
}

Result<OpenDrill> begin_drill(FileSystem& files, const std::string& drills, BegunDrill begun,
                              const std::optional<Bytes>& plan_bytes) {
  OpenDrill drill{std::move(begun), drills + "/", nullptr};
  drill.folder += drill.begun.id;
  if (files.stat(drill.folder)) return Error(ErrorKind::kAlreadyExists, drill.folder + " is there already");
  RETURN_IF_ERROR(files.create_directories(drill.folder));
  ASSIGN_OR_RETURN(drill.lock, files.lock(drill.folder + "/lock"));
  if (plan_bytes) RETURN_IF_ERROR(write_file(files, drill.folder + "/plan.yaml", *plan_bytes));
  RETURN_IF_ERROR(write_file(files, drill.folder + "/begun.partial", encode(drill.begun)));
  RETURN_IF_ERROR(files.rename(drill.folder + "/begun.partial", drill.folder + "/begun.json"));
  RETURN_IF_ERROR(files.sync_directory(drill.folder));
  RETURN_IF_ERROR(files.sync_directory(drills));
  return drill;
}

Result<DrillRecord> keep_drill_record(FileSystem& files, const std::string& drills, DrillRecord record) {
  const std::string folder = drills + "/" + record.id;
  RETURN_IF_ERROR(files.create_directories(folder));
  ASSIGN_OR_RETURN(const auto lock, lock_ledger(files, drills));
  if (files.stat(folder + "/record.json")) return Error(ErrorKind::kAlreadyExists, folder + " has its record already");
  std::vector<std::string> damage;  // of others: told by whoever reads; this drill is recorded all the same
  ASSIGN_OR_RETURN(const auto known, read_all(files, drills, damage));
  record.number = known.empty() ? 1 : known.back().record.number + 1;
  Hash256 hash{};
  const std::string line = encode_drill_record(record, known.empty() ? Hash256{} : known.back().hash, hash);
  const std::string partial = folder + "/record.partial";
  if (files.stat(partial)) RETURN_IF_ERROR(files.remove(partial));
  RETURN_IF_ERROR(write_file(files, partial, line + "\n"));
  RETURN_IF_ERROR(files.rename(partial, folder + "/record.json"));
  RETURN_IF_ERROR(files.sync_directory(folder));
  RETURN_IF_ERROR(files.sync_directory(drills));
  return record;
}

Result<DrillLedger> read_drills(FileSystem& files, const std::string& drills) {
  DrillLedger ledger;
  ASSIGN_OR_RETURN(auto found, read_all(files, drills, ledger.damage));
  std::uint64_t number = 0;
  for (DecodedDrill& drill : found) {
    if (drill.record.number == number) {
      ledger.damage.push_back(fmt::format("{}: there is another record with number {}", drill.record.id, number));
    } else if (drill.record.number != number + 1) {
      ledger.damage.push_back(drill.record.number == number + 2
                                  ? fmt::format("record {} is missing", number + 1)
                                  : fmt::format("records {} to {} are missing", number + 1, drill.record.number - 1));
    } else if (drill.previous != ledger.tip) {
      ledger.damage.push_back(
          fmt::format("{}: it does not follow the record before it, which was changed or exchanged", drill.record.id));
    }
    number = drill.record.number;
    ledger.tip = drill.hash;
    ledger.records.push_back(std::move(drill.record));
  }
  return ledger;
}

Result<std::vector<OpenDrill>> find_abandoned(FileSystem& files, const std::string& drills) {
  std::vector<OpenDrill> abandoned;
  ASSIGN_OR_RETURN(const auto ids, list_ids(files, drills));
  for (const std::string& id : ids) {
    const std::string folder = drills + "/" + id;
    if (files.stat(folder + "/record.json")) continue;
    const auto bytes = files.read_all(folder + "/begun.json", kMiB);
    if (!bytes) continue;  // it did nothing yet
    auto lock = files.lock(folder + "/lock");
    if (!lock && lock.error().kind() == ErrorKind::kFailedPrecondition) continue;
    if (!lock) return lock.error();
    if (files.stat(folder + "/record.json")) continue;
    ASSIGN_OR_RETURN(BegunDrill begun, decode_begun(folder + "/begun.json", *bytes));
    abandoned.push_back({std::move(begun), folder, std::move(*lock)});
  }
  return abandoned;
}

Result<std::vector<BegunDrill>> running_drills(FileSystem& files, const std::string& drills) {
  std::vector<BegunDrill> running;
  ASSIGN_OR_RETURN(const auto ids, list_ids(files, drills));
  for (const std::string& id : ids) {
    const std::string folder = drills + "/" + id;
    if (files.stat(folder + "/record.json")) continue;
    const auto bytes = files.read_all(folder + "/begun.json", kMiB);
    if (!bytes) continue;
    const auto lock = files.lock(folder + "/lock");
    if (lock || lock.error().kind() != ErrorKind::kFailedPrecondition) continue;
    ASSIGN_OR_RETURN(BegunDrill begun, decode_begun(folder + "/begun.json", *bytes));
    running.push_back(std::move(begun));
  }
  return running;
}

Result<Bytes> read_drill_plan(FileSystem& files, const std::string& folder) {
  return files.read_all(folder + "/plan.yaml", kMaxPlanBytes);
}

}  // namespace anclora::respond
