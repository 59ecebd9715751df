// What `serve` keeps running for a plan, as command lines of this same program: a capture for each continuous backup,
// expire and verify for each repository, drills. Secrets go by the environment, never by argv.
#pragma once

#include <string>
#include <vector>

#include "app/daemon/child.h"
#include "plan/plan.h"
#include "respond/detect/probe_maker.h"
#include "respond/drill/drill_schedule.h"

namespace anclora::app {

// One source in one repository: what several of the plan's backups may share.
struct ServedBackup {
  std::vector<std::string> backups;  // their ids
  std::vector<std::string> data;     // their data objectives
  std::string target, repository;    // ids
  std::string source;                // its name in the repository
  Duration rpo{};                    // the shortest of its data objectives
  ChildSpec capture, expire, status;
};

struct ServedRepository {
  std::string id;
  ChildSpec verify;
};

struct ServeJobs {
  std::vector<ServedBackup> backups;
  std::vector<ServedRepository> repositories;
  std::vector<std::string> left_out;  // what of the plan nobody takes care of here, a line each
};

// A source is named "default" where the repository holds one, else as its target.
// Errors: a reference that cannot be read, a URL that is none.
Result<ServeJobs> jobs_of(const plan::Plan& plan, const respond::PlanLookup& lookup);

// The command line of a due drill. `refusal` instead: why it must not run unattended.
struct DrillJob {
  ChildSpec spec;
  std::string refusal;
};
DrillJob drill_job(const plan::Plan& plan, const respond::ScheduledDrill& drill, const ServeJobs& jobs);

}  // namespace anclora::app
