#include "respond/incident/incident_log.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "respond/runbook/run_folder.h"

namespace anclora::respond {
namespace {

constexpr Duration kLockPatience = std::chrono::seconds(10);
constexpr Duration kLockPause = std::chrono::milliseconds(2);
constexpr std::string_view kIdPrefix = "inc-";
constexpr std::string_view kDamageHint =
    "the journal was changed or damaged after it was written: keep the folder as evidence and compare it with an "
    "export (anclora incident export) that was made before";

Result<std::unique_ptr<FileLock>> wait_for_lock(const IncidentWorld& world, const std::string& path) {
  const MonoTime deadline = world.clock.mono_now() + kLockPatience;
  while (true) {
    auto lock = world.files.lock(path);
    if (lock || lock.error().kind() != ErrorKind::kFailedPrecondition) return lock;
    if (world.clock.mono_now() >= deadline)
      return Error(ErrorKind::kUnavailable, path + " is held by another process", "repeat the same command");
    world.clock.sleep_for(kLockPause);
  }
}

std::string folder_of(const std::string& root, const std::string& id) { return root + "/" + id; }

// The newest open incident of this scenario and service; empty when there is none. A damaged one joins nothing.
Result<std::string> find_open(FileSystem& files, const std::string& root, const NewIncident& incident) {
  ASSIGN_OR_RETURN(auto ids, list_incidents(files, root));
  std::ranges::reverse(ids);
  for (const std::string& id : ids) {
    const auto content = read_incident(files, folder_of(root, id));
    if (!content) continue;
    const IncidentState& state = content->state;
    if (state.open() && state.scenario == incident.scenario && state.service == incident.service) return id;
  }
  return std::string();
}

IncidentRecord opening(const std::string& id, const NewIncident& incident) {
  IncidentRecord record(IncidentKind::kOpened, incident.opened_by, incident.text);
  record.fields = {{"incident", id},
                   {"scenario", incident.scenario},
                   {"severity", incident.severity},
                   {"service", incident.service},
                   {"plan_file", incident.plan_file},
                   {"plan_hash", to_hex(hash256(incident.plan_bytes))},
                   {"origin", incident.origin}};
  return record;
}

// A whole journal in the place of another is a sound chain: only its own first line says whose it is. An export's
// folder has no id for a name; its proof compares that with the manifest.
Status refuse_another_incidents(const std::string& folder, const IncidentState& state) {
  const std::string name = folder.substr(folder.find_last_of('/') + 1);
  if (name == state.id || !name.starts_with(kIdPrefix)) return {};
  return Error(ErrorKind::kDataLoss,
               fmt::format("{}:1: it is the journal of another incident, {}", segment_path(folder, 1), state.id),
               std::string(kDamageHint));
}

}  // namespace

Result<IncidentContent> read_incident(FileSystem& files, const std::string& folder) {
  IncidentContent content;
  const auto take = [&](DecodedLine&& decoded, std::string_view line) -> Status {
    ASSIGN_OR_RETURN(IncidentRecord record, to_incident_record(std::move(decoded.line), decoded.kind));
    RETURN_IF_ERROR(apply(content.state, record));
    content.records.push_back(std::move(record));
    content.lines.emplace_back(line);
    return {};
  };
  RETURN_IF_ERROR(read_chain(files, folder, kDamageHint, content, take));
  if (content.records.empty())
    return Error(ErrorKind::kNotFound, folder + " holds no incident", "see those there are: anclora incident list");
  RETURN_IF_ERROR(refuse_another_incidents(folder, content.state));
  return content;
}

Result<Bytes> read_incident_plan(FileSystem& files, const std::string& folder) {
  return read_frozen_plan(files, folder);
}

Status check_incident_id(std::string_view id) {
  if (check_run_id(id)) return {};
  return Error(ErrorKind::kInvalidArgument, "that cannot name an incident",
               "see those there are: anclora incident list");
}

Result<std::vector<std::string>> list_incidents(FileSystem& files, const std::string& root) {
  return list_runs(files, root);
}

Result<std::unique_ptr<IncidentLog>> IncidentLog::open(IncidentWorld world, const std::string& root,
                                                       const std::string& id) {
  RETURN_IF_ERROR(check_incident_id(id));
  std::unique_ptr<IncidentLog> log(new IncidentLog(world, root, id));
  if (!world.files.stat(log->folder_ + "/plan.yaml")) {
    ASSIGN_OR_RETURN(const auto ids, list_incidents(world.files, root));
    return Error(ErrorKind::kNotFound, fmt::format("there is no incident {} on this machine", id),
                 ids.empty() ? "open one: anclora incident open --scenario S --plan FILE --as WHO"
                             : fmt::format("there are: {}", fmt::join(ids, ", ")));
  }
  RETURN_IF_ERROR(log->catch_up());
  if (!log->state_.opened)
    return Error(ErrorKind::kNotFound, id + " was never opened: its process died on the way",
                 "see those there are: anclora incident list");
  return log;
}

Result<std::unique_ptr<IncidentLog>> IncidentLog::begin_locked(IncidentWorld world, const std::string& root,
                                                               const NewIncident& incident) {
  const std::string id = make_run_id(std::string(kIdPrefix) + incident.scenario, world.clock.wall_now(), world.random);
  RETURN_IF_ERROR(check_incident_id(id));
  RETURN_IF_ERROR(world.files.create_directories(folder_of(root, id)));
  RETURN_IF_ERROR(freeze_plan(world.files, folder_of(root, id), incident.plan_bytes));
  std::unique_ptr<IncidentLog> log(new IncidentLog(world, root, id));
  RETURN_IF_ERROR(log->append(opening(id, incident)));
  return log;
}

Result<std::unique_ptr<IncidentLog>> IncidentLog::open_or_join(IncidentWorld world, const std::string& root,
                                                               const NewIncident& incident) {
  RETURN_IF_ERROR(world.files.create_directories(root));
  ASSIGN_OR_RETURN(const auto lock, wait_for_lock(world, root + "/lock"));
  ASSIGN_OR_RETURN(const std::string id, find_open(world.files, root, incident));
  if (id.empty()) return begin_locked(world, root, incident);
  ASSIGN_OR_RETURN(auto log, open(world, root, id));
  log->joined_ = true;
  return log;
}

Result<std::unique_ptr<IncidentLog>> IncidentLog::begin(IncidentWorld world, const std::string& root,
                                                        const NewIncident& incident) {
  RETURN_IF_ERROR(world.files.create_directories(root));
  ASSIGN_OR_RETURN(const auto lock, wait_for_lock(world, root + "/lock"));
  ASSIGN_OR_RETURN(const std::string id, find_open(world.files, root, incident));
  if (id.empty()) return begin_locked(world, root, incident);
  return Error(ErrorKind::kAlreadyExists, fmt::format("{} of {} is open already", id, incident.scenario),
               fmt::format("add to it: anclora incident note TEXT --as WHO --incident {}; or close it first", id));
}

// A segment of another process may still grow, so only one's own needs no reading.
Status IncidentLog::catch_up() {
  if (writer_ != nullptr && !world_.files.stat(segment_path(folder_, end_.segments + 1))) return {};
  forget();
  auto content = read_incident(world_.files, folder_);
  if (!content && content.error().kind() == ErrorKind::kNotFound) return {};  // it is being opened
  if (!content) return content.error();
  end_ = *content;
  state_ = std::move(content->state);
  return {};
}

void IncidentLog::forget() {
  writer_.reset();
  end_ = {};
  state_ = {};
}

Status IncidentLog::write(IncidentRecord& record) {
  IncidentState next = state_;
  record.time = world_.clock.wall_now();
  RETURN_IF_ERROR(apply(next, record));
  if (writer_ == nullptr) {
    ASSIGN_OR_RETURN(writer_, ChainWriter::open(world_.files, folder_, end_));
    ++end_.segments;
  }
  RETURN_IF_ERROR(writer_->append(record, to_string(record.kind), record.time));
  end_.tip = writer_->tip();
  ++end_.count;
  state_ = std::move(next);
  return {};
}

Result<IncidentRecord> IncidentLog::append(IncidentRecord record) {
  ASSIGN_OR_RETURN(auto written, append_judged([&](const IncidentState&) -> Result<std::vector<IncidentRecord>> {
                     return std::vector<IncidentRecord>{std::move(record)};
                   }));
  return std::move(written.front());
}

Result<std::vector<IncidentRecord>> IncidentLog::append_judged(
    const std::function<Result<std::vector<IncidentRecord>>(const IncidentState&)>& judge) {
  const std::lock_guard guard(mutex_);
  ASSIGN_OR_RETURN(const auto lock, wait_for_lock(world_, folder_ + "/lock"));
  RETURN_IF_ERROR(catch_up());
  ASSIGN_OR_RETURN(std::vector<IncidentRecord> records, judge(state_));
  for (IncidentRecord& record : records) {
    const Status written = write(record);
    if (written) continue;
    // What a failed write left on the disk is known only by reading it again.
    if (written.error().kind() != ErrorKind::kFailedPrecondition) forget();
    return written.error();
  }
  return records;
}

Result<IncidentState> IncidentLog::state() {
  const std::lock_guard guard(mutex_);
  RETURN_IF_ERROR(catch_up());
  return state_;
}

}  // namespace anclora::respond
