// Where drills are kept: `<state>/drills/<id>/` with `begun.json` (before anything is done), the frozen plan, a lock
// while its process lives, and in the end `record.json`. docs/formats/drill-record.md.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/random.h"
#include "respond/drill/drill_record.h"

namespace anclora::respond {

// All that is needed to clean up after a drill whose process is gone; durable before its first step.
struct BegunDrill {
  std::string id;
  std::string scenario;
  std::string environment;
  std::string service;
  std::string plan_file, plan_hash;
  std::string starter, runner, program;
  WallTime started;
  // Runs are named before they begin, so that what they did is found after a kill.
  std::string prepare_run, inject_run, recovery_run, cleanup_run;
  std::string work_folder;  // of a restore drill: the scratch server's files
};

// "drill-redis-lost-20261124T160504Z-1f3a".
std::string make_drill_id(std::string_view scenario, WallTime now, Random& random);

// A drill under way. Its lock goes with the object.
struct OpenDrill {
  BegunDrill begun;
  std::string folder;
  std::unique_ptr<FileLock> lock;
};

// For as long as a drill uses this environment: two in one sandbox would take each other's disaster for their own.
// kFailedPrecondition, with what to wait for, while another process holds it.
Result<std::unique_ptr<FileLock>> lock_sandbox(FileSystem& files, const std::string& drills, const std::string& service,
                                               const std::string& environment);

// Durable: the folder, begun.json and, where there is one, the plan. kAlreadyExists when the id is taken.
Result<OpenDrill> begin_drill(FileSystem& files, const std::string& drills, BegunDrill begun,
                              const std::optional<Bytes>& plan_bytes);

// Numbers the record, chains it to the newest one, and keeps it, durably. Several processes may do so at once.
// kAlreadyExists when this drill has its record already.
Result<DrillRecord> keep_drill_record(FileSystem& files, const std::string& drills, DrillRecord record);

struct DrillLedger {
  std::vector<DrillRecord> records;  // in the order in which they were kept
  std::vector<std::string> damage;   // what was changed, lost or cannot be read: one line each
  Hash256 tip{};                     // of the newest record
};
// Reads all records and proves their chain; damage is told, what can be read is given. No folder: an empty ledger.
Result<DrillLedger> read_drills(FileSystem& files, const std::string& drills);

// Drills that began, have no record, and whose process is gone: each is locked for the caller, who cleans and records
// it.
Result<std::vector<OpenDrill>> find_abandoned(FileSystem& files, const std::string& drills);
// Drills that other processes are running, or cleaning up after, now.
Result<std::vector<BegunDrill>> running_drills(FileSystem& files, const std::string& drills);

Result<Bytes> read_drill_plan(FileSystem& files, const std::string& folder);

}  // namespace anclora::respond
