#include "respond/runbook/run_folder.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/write_file.h"
#include "storage/store/object_name.h"

namespace anclora::respond {
namespace {

constexpr std::uint64_t kMaxPlanBytes = 4 * kMiB;
constexpr std::size_t kMaxRunIdBytes = 100;

}  // namespace

std::string make_run_id(std::string_view scenario, WallTime now, Random& random) {
  return fmt::format("{}-{:%Y%m%dT%H%M%SZ}-{}", scenario.substr(0, 64),
                     std::chrono::time_point_cast<std::chrono::seconds>(now), to_hex(random.bytes(2)));
}

Status check_run_id(std::string_view run) {
  if (storage::is_object_name_component(run) && run.size() <= kMaxRunIdBytes) return {};
  return Error(ErrorKind::kInvalidArgument, fmt::format("\"{}\" cannot name a run", storage::printable_name(run)),
               "see the runs there are: anclora run status");
}

Status freeze_plan(FileSystem& files, const std::string& folder, ByteView plan_bytes) {
  RETURN_IF_ERROR(write_file(files, folder + "/plan.yaml", plan_bytes));
  RETURN_IF_ERROR(files.sync_directory(folder));
  RETURN_IF_ERROR(files.sync_directory(parent_folder(folder)));
  return files.sync_directory(parent_folder(parent_folder(folder)));
}

Status create_run_folder(FileSystem& files, const std::string& folder, ByteView plan_bytes) {
  if (files.stat(folder)) return Error(ErrorKind::kAlreadyExists, folder + " is there already");
  RETURN_IF_ERROR(files.create_directories(folder + "/inbox"));
  return freeze_plan(files, folder, plan_bytes);
}

Result<Bytes> read_frozen_plan(FileSystem& files, const std::string& folder) {
  return files.read_all(folder + "/plan.yaml", kMaxPlanBytes);
}

Result<std::unique_ptr<FileLock>> lock_run(FileSystem& files, const std::string& folder) {
  auto lock = files.lock(folder + "/lock");
  if (!lock && lock.error().kind() == ErrorKind::kFailedPrecondition)
    return Error(ErrorKind::kFailedPrecondition, "another process has this run",
                 "follow it: anclora run status; its approvals and decisions reach it from here");
  return lock;
}

Result<std::vector<std::string>> list_runs(FileSystem& files, const std::string& runs_folder) {
  const auto entries = files.list(runs_folder);
  if (!entries && entries.error().kind() == ErrorKind::kNotFound) return std::vector<std::string>();
  if (!entries) return entries.error();
  std::vector<std::pair<WallTime, std::string>> runs;
  for (const FileInfo& entry : *entries) {
    if (!entry.is_directory || !check_run_id(entry.name)) continue;
    const auto first = files.stat(runs_folder + "/" + entry.name + "/journal-000001.jsonl");
    const auto plan = files.stat(runs_folder + "/" + entry.name + "/plan.yaml");
    if (first && plan) runs.emplace_back(plan->modified, entry.name);
  }
  std::ranges::sort(runs);
  std::vector<std::string> ids;
  ids.reserve(runs.size());
  for (auto& [modified, id] : runs) ids.push_back(std::move(id));
  return ids;
}

}  // namespace anclora::respond
