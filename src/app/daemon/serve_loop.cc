#include "app/daemon/serve_loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ostream>

#include "app/cli/incident_site.h"
#include "app/cli/run_site.h"
#include "app/daemon/state_folder.h"
#include "base/write_file.h"
#include "plan/lint/recovery_time.h"

namespace anclora::app {
namespace {

constexpr Duration kLookAtRuns = std::chrono::seconds(1);
constexpr Duration kDrainJobs = std::chrono::seconds(20);
constexpr Duration kDrainCapture = std::chrono::seconds(20);
constexpr Duration kDetectorStands = std::chrono::seconds(10);
constexpr Duration kOrderAnswered = std::chrono::seconds(10);
constexpr std::uint64_t kLargestLog = 8 * kMiB;

std::string file_name(const std::string& name) {
  std::string file = name;
  std::ranges::replace_if(file, [](char c) { return c == '/' || c == ' '; }, '-');
  return file;
}

}  // namespace

ServeLoop::ServeLoop(CommandContext& context, const plan::Plan& plan, const Bytes& plan_bytes, ServeJobs jobs,
                     const ServeOptions& options, StartBeacons beat)
    : context_(context),
      plan_(plan),
      options_(options),
      jobs_(std::move(jobs)),
      started_(context.clock.wall_now()),
      begun_(context.clock.mono_now()),
      runs_(context, plan, [this](const ChildSpec& spec) { return start_child(spec); }),
      incidents_(context, plan, plan_bytes),
      plan_bytes_(plan_bytes),
      diary_{context.files, folder("jobs")},
      all_is_sandbox_(std::ranges::any_of(plan.environments, &plan::Environment::everything)),
      beat_{std::move(beat)} {
  const StartChild start = [this](const ChildSpec& spec) { return start_child(spec); };
  for (const ServedBackup& backup : jobs_.backups) {
    if (options.capture) captures_.push_back(std::make_unique<Child>(backup.capture, start, context.clock));
    for (const std::string& id : backup.backups)
      backups_.push_back({id, backup.source, backup.repository, backup.data, backup.rpo, false, {}, {}, {}});
    asking_.push_back(nullptr);
    asked_.emplace_back();
    restorable_.push_back(false);
  }
  watcher_ = make_watch();
}

ServeLoop::~ServeLoop() { watcher_->stop(); }

std::string ServeLoop::folder(const std::string& name) const {
  return state_root(context_.environment) + "/serve/" + name;
}

void ServeLoop::say(const std::string& line) const {
  context_.err << format_rfc3339(context_.clock.wall_now()) << " " << line << std::endl;
}

Result<std::unique_ptr<Subprocess>> ServeLoop::start_child(const ChildSpec& spec) const {
  SubprocessOptions process;
  const auto program = context_.files.resolve("/proc/self/exe");
  // An upgrade may have replaced the file: the program that runs is still there under this name.
  process.argv = {program && context_.files.stat(*program) ? *program : "/proc/self/exe"};
  process.argv.insert(process.argv.end(), spec.words.begin(), spec.words.end());
  const GlobalOptions& given = context_.options;
  for (const auto& [option, value] : {std::pair<std::string, std::string>("--s3-endpoint", given.s3_endpoint),
                                      {"--s3-region", given.s3_region},
                                      {"--s3-ca-file", given.s3_ca_file}})
    if (!value.empty()) process.argv.insert(process.argv.end(), {option, value});
  if (given.s3_path_style) process.argv.emplace_back("--s3-path-style");
  process.environment = spec.environment;
  // Systemd's socket is for the process that it started.
  process.environment.emplace_back("NOTIFY_SOCKET=");
  process.environment.emplace_back("WATCHDOG_USEC=");
  RETURN_IF_ERROR(context_.files.create_directories(folder("log")));
  process.output_file =
      spec.output_file.empty() ? folder("log") + "/" + file_name(spec.name) + ".log" : spec.output_file;
  if (const auto log = context_.files.stat(process.output_file); log && log->size_bytes > kLargestLog)
    RETURN_IF_ERROR(context_.files.rename(process.output_file, process.output_file + ".old"));
  return Subprocess::start(process);
}

// A state disk that is full or read-only is no reason to watch nothing: runs read the plan file itself then.
void ServeLoop::keep_plan() {
  const std::string path = folder("plan.yaml");
  const auto there = context_.files.read_all(path, plan_bytes_.size());
  const Status kept = there && *there == plan_bytes_ ? Status() : replace_file(context_.files, path, plan_bytes_);
  if (kept)
    runs_.use_kept_plan(path);
  else
    say(fmt::format("no copy of the plan can be kept, so runs need {} as it is: {}", plan_.file,
                    kept.error().to_string()));
}

Status ServeLoop::start() {
  keep_plan();
  plan_file_ = std::make_unique<PlanFileWatch>(context_.files, plan_.file, plan_bytes_);
  for (const std::string& line : notes()) say("note: " + line);
  // What a killed drill left is cleaned before anything is begun.
  begin_job("drill clean", {"drill clean", {"drill", "clean"}, {}, {}, false});
  look_at_runs();
  if (is_drilled())
    rest("what a killed drill may have left is cleaned up");
  else
    RETURN_IF_ERROR(watch());
  publish();
  return {};
}

void ServeLoop::tick(Duration timeout) {
  {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, timeout, [this] { return !changes_.empty() || !orders_.empty() || !signals_.empty(); });
  }
  if (context_.clock.mono_now() - runs_looked_ >= kLookAtRuns) look_at_runs();
  take_news();
  keep_children();
  watch_or_rest();
  look_at_plan_file();
  publish();
}

void ServeLoop::take_news() {
  std::deque<respond::RuleVerdict> changes;
  std::deque<Ordered> orders;
  std::vector<respond::Signal> signals;
  {
    const std::lock_guard lock(mutex_);
    changes.swap(changes_);
    orders.swap(orders_);
    signals.swap(signals_);
  }
  if (!signals.empty()) incidents_.take(signals);
  for (const respond::RuleVerdict& verdict : changes) judge(verdict);
  for (Ordered& each : orders)
    each.answer.set_value(
        resting_ ? Result<std::string>(Error(ErrorKind::kFailedPrecondition,
                                             "a drill is run, or cleaned up after, on all that this plan has",
                                             "wait for its end: anclora drill list"))
                 : runs_.start(each.order));
  if (!changes.empty() || !orders.empty()) look_at_incidents();
}

void ServeLoop::judge(const respond::RuleVerdict& verdict) {
  say(fmt::format("rule {} is {}{}{}", verdict.rule, respond::to_string(verdict.state),
                  verdict.evidence.empty() ? "" : ": ", verdict.evidence.empty() ? "" : verdict.evidence.front()));
  keep_seen_well(verdict);
  const auto known = incident_of_.find(verdict.rule);
  if (verdict.state != respond::RuleState::kConfirmed) {
    if (known == incident_of_.end()) return;
    incidents_.note(known->second, fmt::format("{} is {} now", verdict.rule, respond::to_string(verdict.state)));
    incident_of_.erase(known);
    return;
  }
  const auto why = [&](const respond::IncidentState& incident) { return why_not(verdict, incident); };
  const auto taken = incidents_.take(verdict, why);
  if (taken)
    incident_of_[verdict.rule] = taken->incident;
  else
    say("no incident can be kept: " + taken.error().to_string());
  const std::string not_started = taken ? taken->not_started : why({});
  if (!not_started.empty()) say("nothing is started: " + not_started);
  if (!not_started.empty() || runs_.is_active(verdict.scenario)) return;
  const auto run = runs_.start({verdict.scenario, verdict.rule, "", verdict.out_since, context_.clock.wall_now()});
  say(run ? "run " + *run : "no run is started: " + run.error().to_string());
}

// Why no run is begun for the verdict; empty also where one is under way.
std::string ServeLoop::why_not(const respond::RuleVerdict& verdict, const respond::IncidentState& incident) const {
  if (runs_.is_active(verdict.scenario)) return {};
  const auto scenario = std::ranges::find(plan_.scenarios, verdict.scenario, &plan::Scenario::id);
  if (scenario == plan_.scenarios.end()) return fmt::format("the plan has no scenario {}", verdict.scenario);
  if (verdict.acted_at) {
    const auto run = completed_.find(verdict.scenario);
    const bool known = run != completed_.end();
    return fmt::format(
        "{} recovered it at {}, and a rule that is confirmed again after that begins no other until a person "
        "releases it (POST /api/rules/{}/release)",
        known ? "run " + run->second.run : "a run",
        format_rfc3339(known ? run->second.ended.value_or(*verdict.acted_at) : *verdict.acted_at), verdict.rule);
  }
  // A run that waits for its declaration is the proposal: one approval, and it acts. Without a declaration it would act
  // at once, which only the rule's policy allows.
  if (!verdict.start && !scenario->declare) return "the plan lets a person start this scenario, not the rule";
  if (incident.runs.empty()) return {};
  // A run that a person aborted is not begun again behind his back.
  const auto last = view_run(context_, incident.runs.back().run);
  if (!last || !last->over || last->completed) return {};
  return fmt::format("run {} of this incident was aborted", last->run);
}

void ServeLoop::look_at_runs() {
  runs_looked_ = context_.clock.mono_now();
  for (const RunView& run : runs_.tick()) {
    if (run.completed) completed_[run.scenario] = run;
    silence(run);
    incidents_.run_ended(run);
  }
  for (const std::string& problem : runs_.take_problems()) {
    say(problem + ": see " + folder("log"));
    for (const auto& [rule, incident] : incident_of_) incidents_.note(incident, problem);
  }
  look_at_incidents();
}

void ServeLoop::look_at_incidents() {
  incidents_.tick(runs_.active());
  std::string problem = incidents_.problem();
  if (problem == incident_problem_) return;
  if (!problem.empty()) say("an incident cannot be read or written, so nobody is told of it: " + problem);
  const std::lock_guard lock(mutex_);
  incident_problem_ = std::move(problem);
}

Result<std::string> ServeLoop::order(const RunOrder& order) {
  std::future<Result<std::string>> answer;
  {
    const std::lock_guard lock(mutex_);
    orders_.push_back({order, {}});
    answer = orders_.back().answer.get_future();
    wake_.notify_all();
  }
  if (answer.wait_for(kOrderAnswered) == std::future_status::ready) return answer.get();
  return Error(ErrorKind::kDeadlineExceeded, "the run is not begun yet", "look: GET /api/runs");
}

void ServeLoop::take(std::vector<respond::Signal> signals) {
  const std::lock_guard lock(mutex_);
  signals_.insert(signals_.end(), std::make_move_iterator(signals.begin()), std::make_move_iterator(signals.end()));
  if (signals_.size() > 1000) signals_.resize(1000);
  wake_.notify_all();
}

void ServeLoop::drain() {
  watcher_->stop();
  beacons_.clear();
  for (const auto& [name, child] : working_) child->ask_to_end();
  for (const auto& child : asking_)
    if (child) child->ask_to_end();
  runs_.ask_to_end();
  const MonoTime deadline = context_.clock.mono_now() + kDrainJobs;
  const auto left = [&] { return std::max(Duration::zero(), Duration(deadline - context_.clock.mono_now())); };
  runs_.wait_or_kill(left());
  for (const auto& [name, child] : working_) child->wait_or_kill(left());
  for (const auto& child : asking_)
    if (child) child->wait_or_kill(left());
  // Last, so that what the others did is protected too.
  for (const auto& child : captures_) child->ask_to_end();
  for (const auto& child : captures_) child->wait_or_kill(kDrainCapture);
}

std::vector<ScenarioView> ServeLoop::scenarios() const {
  std::vector<ScenarioView> views;
  for (const plan::Scenario& scenario : plan_.scenarios) {
    ScenarioView view{scenario.id, "paper", 0, {}};
    const auto seconds = [](Duration duration) { return static_cast<double>(duration.count()) / 1e6; };
    view.forecast_seconds = seconds(plan::recovery_time(plan_, scenario).total());
    for (const respond::DrillRecord& drill : drills_)
      if (drill.scenario == scenario.id && drill.passed && drill.achieved.rto) {
        view.basis = "drill";
        view.forecast_seconds = seconds(*drill.achieved.rto);
      }
    for (const RunView& run : runs_.active())
      if (run.scenario == scenario.id) {
        view.basis = "run";
        view.forecast_seconds = run.forecast_seconds;
      }
    const auto severity = std::ranges::find(plan_.severities, scenario.severity, &plan::SeverityObjective::id);
    if (severity != plan_.severities.end()) view.objective = severity->rto;
    views.push_back(std::move(view));
  }
  return views;
}

std::vector<std::string> ServeLoop::notes() const {
  std::vector<std::string> lines = jobs_.left_out;
  for (std::string& line : blind_spots(plan_, options_.site, watcher()->probes())) lines.push_back(std::move(line));
  const std::lock_guard lock(mutex_);
  if (!plan_file_note_.empty()) lines.push_back(plan_file_note_);
  if (resting_)
    lines.emplace_back("a drill is run, or cleaned up after, on all that this plan has: nothing is watched meanwhile");
  if (!incident_problem_.empty())
    lines.push_back("an incident cannot be read or written, so nobody is told of it: " + incident_problem_);
  for (const auto& [drill, why] : refusals_) lines.push_back(fmt::format("{} is due and not run: {}", drill, why));
  return lines;
}

void ServeLoop::publish() {
  ServeView view;
  view.service = plan_.service;
  view.started = started_;
  view.backups = backups_;
  view.scenarios = scenarios();
  const auto add = [&view](const Child& child) {
    view.children.push_back({child.spec().name, child.running(), child.spec().keep, child.pid(), child.restarts(),
                             child.last_exit(), child.problem(), child.started()});
  };
  for (const auto& child : captures_) add(*child);
  for (const auto& [name, child] : working_) add(*child);
  for (const Child* child : runs_.children()) add(*child);
  view.runs = runs_.active();
  view.incidents_open = incidents_.open();
  view.incidents_unacknowledged = incidents_.unacknowledged();
  view.drills = drills_;
  view.job_failures = job_failures_;
  const std::lock_guard lock(mutex_);
  view_ = std::move(view);
  ticked_ = context_.clock.mono_now();
}

ServeView ServeLoop::view() const {
  ServeView view;
  {
    const std::lock_guard lock(mutex_);
    view = view_;
  }
  view.now = context_.clock.wall_now();
  const auto watcher = this->watcher();
  view.isolated = watcher->isolated();
  view.probes = watcher->probes();
  view.verdicts = watcher->verdicts();
  view.detector_age_seconds =
      static_cast<double>(Duration(context_.clock.mono_now() - watcher->judged_at()).count()) / 1e6;
  for (BackupView& backup : view.backups)
    if (backup.asked && backup.age_seconds)
      *backup.age_seconds += static_cast<double>(Duration(view.now - *backup.asked).count()) / 1e6;
  return view;
}

bool ServeLoop::healthy() const {
  const MonoTime now = context_.clock.mono_now();
  const std::lock_guard lock(mutex_);
  return (resting_ || now - watcher_->judged_at() < kDetectorStands) && now - ticked_ < kDetectorStands;
}

}  // namespace anclora::app
