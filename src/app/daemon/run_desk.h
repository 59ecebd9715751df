// The runs of production on this machine, as `serve` sees them: starts them as child processes, takes up those that
// nobody runs, and notices when one is over.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "app/cli/run_site.h"
#include "app/daemon/child.h"

namespace anclora::app {

struct RunOrder {
  std::string scenario;
  std::string rule;     // the detection rule that asks for it; empty: a person does
  std::string contact;  // that person
  std::optional<WallTime> out_since, detected;
};

// What matters of a run, without its plan.
struct RunView {
  std::string run, scenario, state;  // state as in `run status`
  bool over = false, completed = false, has_runner = false;
  std::vector<std::string> waits_for;  // "approval of switch: oncall"
  double forecast_seconds = 0, elapsed_seconds = 0;
  bool over_rto = false, over_rto_max = false, elapsed_over_rto = false, elapsed_over_rto_max = false;
  std::optional<WallTime> ended;
  std::string next_command;
};

// Thread rule: one thread.
class RunDesk {
 public:
  RunDesk(const CommandContext& context, const plan::Plan& plan, StartChild start);

  // A file of ours with the plan, for the one that was named may be changed or lost. Without it runs read that one.
  void use_kept_plan(std::string file) { kept_plan_ = std::move(file); }
  // Its id; the child is started by the next tick().
  Result<std::string> start(const RunOrder& order);
  // Starts, reaps, resumes; the runs of this service that are over now and were not at the last call come back, the
  // first time also those that ended before.
  std::vector<RunView> tick();
  // Runs that are not over, as of the last tick().
  const std::vector<RunView>& active() const { return active_; }
  bool is_active(const std::string& scenario) const;
  // Since the last call: runs that came to nothing before they had a journal.
  std::vector<std::string> take_problems();
  // SIGTERM to all: each stops between two records, to be resumed.
  void ask_to_end();
  void wait_or_kill(Duration timeout);
  std::vector<const Child*> children() const;

 private:
  void look_at(const std::string& run, std::vector<RunView>& ended);
  void resume_if_left(const RunView& view);

  const CommandContext& context_;
  const plan::Plan& plan_;
  std::string kept_plan_;
  const StartChild start_;
  std::map<std::string, std::unique_ptr<Child>> children_;  // by run
  std::map<std::string, MonoTime> left_since_;              // without a runner
  std::map<std::string, MonoTime> not_before_;              // after a resume that came to nothing
  std::set<std::string> over_, given_up_;
  std::vector<RunView> active_;
  std::vector<std::string> problems_;
};

// What is known of one run on this machine. Any thread.
Result<RunView> view_run(const CommandContext& context, const std::string& run);

}  // namespace anclora::app
