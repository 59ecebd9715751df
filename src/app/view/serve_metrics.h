// What `serve` tells Prometheus. docs/operations/metrics.md has every name.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/daemon/run_desk.h"
#include "respond/detect/watcher.h"
#include "respond/drill/drill_record.h"

namespace anclora::app {

// A source in a repository, as its last `anclora status` said.
struct BackupView {
  std::string id, source, repository;  // the plan's backup, the source's name, the repository's target
  std::vector<std::string> data;
  Duration rpo_objective{};
  bool away = false;                          // the repository did not answer, or knows no such source
  std::optional<double> age_seconds;          // of its newest entry, now
  std::optional<double> lag_seconds;          // what the source has and the repository has not
  std::optional<WallTime> asked;              // when it last answered
  std::optional<double> rpo_seconds() const;  // the more of both: what would be lost at most
};

struct ScenarioView {
  std::string id, basis;  // "paper", "drill", "run"
  double forecast_seconds = 0;
  Duration objective{};
};

struct ChildView {
  std::string name;
  bool running = false, keep = false;
  std::int64_t pid = 0;
  std::uint64_t restarts = 0;
  std::optional<int> last_exit;
  std::string problem;
  std::optional<WallTime> started;
};

struct ServeView {
  std::string service, version;
  WallTime now, started;
  bool isolated = false;
  double detector_age_seconds = 0;
  std::vector<respond::ProbeView> probes;
  std::vector<respond::RuleVerdict> verdicts;
  std::vector<BackupView> backups;
  std::vector<ScenarioView> scenarios;
  std::vector<ChildView> children;
  std::vector<RunView> runs;  // not over
  std::size_t incidents_open = 0, incidents_unacknowledged = 0;
  std::vector<respond::DrillRecord> drills;  // of this service, in the order in which they were kept
  std::map<std::string, std::uint64_t> job_failures;
};

std::string to_prometheus(const ServeView& view);

}  // namespace anclora::app
