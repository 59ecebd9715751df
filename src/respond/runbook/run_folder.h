// A run's folder: the frozen plan, the journal, the inbox, the lock. docs/formats/run-journal.md.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/random.h"
#include "respond/runbook/run_journal.h"

namespace anclora::respond {

// "redis-lost-20261124T160504Z-1f3a": sorts by time within a scenario, and is a component of an object name.
std::string make_run_id(std::string_view scenario, WallTime now, Random& random);
Status check_run_id(std::string_view run);

// Creates `folder` with its inbox and the frozen plan, durable. kAlreadyExists when there is one.
Status create_run_folder(FileSystem& files, const std::string& folder, ByteView plan_bytes);
// Freezes the plan into `folder`, which exists, durable with it. kAlreadyExists when it holds one.
Status freeze_plan(FileSystem& files, const std::string& folder, ByteView plan_bytes);
Result<Bytes> read_frozen_plan(FileSystem& files, const std::string& folder);
// kFailedPrecondition while a runner has the run.
Result<std::unique_ptr<FileLock>> lock_run(FileSystem& files, const std::string& folder);
// Ids of the runs with a journal, oldest first.
Result<std::vector<std::string>> list_runs(FileSystem& files, const std::string& runs_folder);

}  // namespace anclora::respond
