// The heart of `serve`: turns verdicts into incidents and runs, keeps the children, and publishes what it knows.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "app/daemon/child.h"
#include "app/daemon/incident_desk.h"
#include "app/daemon/job_diary.h"
#include "app/daemon/plan_file_watch.h"
#include "app/daemon/plan_watch.h"
#include "app/daemon/run_desk.h"
#include "app/daemon/serve.h"
#include "app/daemon/serve_jobs.h"
#include "app/view/serve_metrics.h"
#include "respond/detect/beacon_writer.h"

namespace anclora::app {

using Beacons = std::vector<std::unique_ptr<respond::BeaconWriter>>;
using StartBeacons = std::function<Result<Beacons>()>;

// Thread rule: start(), tick() and drain() from one thread; the others from any.
class ServeLoop {
 public:
  // `beat`: starts the writers of the beacons that no probe keeps.
  ServeLoop(CommandContext& context, const plan::Plan& plan, const Bytes& plan_bytes, ServeJobs jobs,
            const ServeOptions& options, StartBeacons beat);
  ~ServeLoop();

  Status start();
  // Once round; waits at most `timeout` for something to do.
  void tick(Duration timeout);
  // Asks all children to end, jobs first and capture last, and waits for them.
  void drain();

  ServeView view() const;  // as of the last tick(), with the probes of this moment
  bool healthy() const;
  Result<std::string> order(const RunOrder& order);  // the run's id
  void take(std::vector<respond::Signal> signals);
  // The rule may speak again; kept over restarts.
  Status release(const std::string& rule);
  // What another observer saw.
  Status report(const std::string& probe, const std::string& vantage, respond::Reading reading);
  const plan::Plan& plan() const { return plan_; }
  std::vector<std::string> notes() const;  // what nobody takes care of, and why

 private:
  struct Ordered {
    RunOrder order;
    std::promise<Result<std::string>> answer;
  };
  Result<std::unique_ptr<Subprocess>> start_child(const ChildSpec& spec) const;
  void keep_plan();
  void take_news();
  void judge(const respond::RuleVerdict& verdict);
  std::string why_not(const respond::RuleVerdict& verdict, const respond::IncidentState& incident) const;
  void look_at_runs();
  void look_at_incidents();
  void silence(const RunView& run);
  void keep_seen_well(const respond::RuleVerdict& verdict);
  std::shared_ptr<respond::Watcher> watcher() const;
  std::shared_ptr<respond::Watcher> make_watch();
  bool is_guarded(const std::string& environment) const;  // all of the plan is that sandbox
  bool is_drilled() const;
  std::string what_is_wrong() const;
  void watch_or_rest();
  void look_at_plan_file();
  Status watch();
  void rest(const std::string& why);
  void keep_children();
  void job_ended(const std::string& job, int status);
  void begin_job(const std::string& job, ChildSpec spec);
  void begin_due_jobs(WallTime now);
  bool is_restorable(const std::string& repository) const;
  void begin_due_drill(WallTime now);
  void look_at_backups();
  void read_backup(std::size_t index, bool answered);
  void publish();
  std::vector<ScenarioView> scenarios() const;
  std::string folder(const std::string& name) const;
  void say(const std::string& line) const;

  CommandContext& context_;
  const plan::Plan& plan_;
  const ServeOptions& options_;
  const ServeJobs jobs_;
  const WallTime started_;
  const MonoTime begun_;
  RunDesk runs_;
  IncidentDesk incidents_;
  const Bytes& plan_bytes_;
  std::unique_ptr<PlanFileWatch> plan_file_;  // once started
  JobDiary diary_;
  std::vector<std::unique_ptr<Child>> captures_;
  std::map<std::string, std::unique_ptr<Child>> working_;  // jobs under way, by name
  std::vector<std::unique_ptr<Child>> asking_;             // `status` of each backup
  std::vector<MonoTime> asked_;
  std::vector<BackupView> backups_;
  std::vector<bool> restorable_;  // what each backup has in its repository; before that nothing is to expire or verify
  std::vector<respond::DrillRecord> drills_;
  std::map<std::string, std::uint64_t> job_failures_;
  std::map<std::string, std::string> incident_of_;  // by rule, while it is confirmed
  std::map<std::string, std::string> refusals_;     // drills that must not run here
  std::map<std::string, RunView> completed_;        // by scenario: the newest run that silenced its rules
  const bool all_is_sandbox_;                       // an environment of the plan has `everything`
  const StartBeacons beat_;
  Beacons beacons_;
  MonoTime rest_looked_{};
  MonoTime runs_looked_{}, schedule_looked_{};

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<respond::RuleVerdict> changes_;
  std::deque<Ordered> orders_;
  std::vector<respond::Signal> signals_;
  ServeView view_;
  std::string incident_problem_;
  MonoTime ticked_{};
  std::string plan_file_note_;                 // that it is not what was read at the start; empty: it is
  bool resting_ = false;                       // what is guarded is being drilled
  std::shared_ptr<respond::Watcher> watcher_;  // last: it calls back into what stands above
};

}  // namespace anclora::app
