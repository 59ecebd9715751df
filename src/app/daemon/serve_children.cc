// What ServeLoop keeps running besides runs: captures, repeated jobs, drills, and the question how the backups are.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "app/cli/drill_site.h"
#include "app/daemon/serve_loop.h"

namespace anclora::app {
namespace {

constexpr Duration kHourly = std::chrono::hours(1);
constexpr Duration kDaily = std::chrono::hours(24);
constexpr Duration kWeekly = std::chrono::hours(7 * 24);
constexpr Duration kLookAtSchedule = std::chrono::seconds(5);
constexpr Duration kAskBackups = std::chrono::seconds(15);
constexpr Duration kAskFirst = std::chrono::seconds(2);  // until there is something to restore
constexpr Duration kAnswerWithin = std::chrono::seconds(60);
constexpr std::uint64_t kLargestAnswer = 16 * kMiB;
constexpr int kDamageFound = 12;

std::optional<double> number(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

}  // namespace

void ServeLoop::begin_job(const std::string& job, ChildSpec spec) {
  auto child = std::make_unique<Child>(
      std::move(spec), [this](const ChildSpec& each) { return start_child(each); }, context_.clock);
  if (const auto status = child->tick()) return job_ended(job, *status);
  working_[job] = std::move(child);
}

void ServeLoop::job_ended(const std::string& job, int status) {
  schedule_looked_ = {};  // what it left is news for the schedule
  if (status != 0) {
    ++job_failures_[job];
    say(fmt::format("{} ended with {}: see {}", job, status, folder("log")));
  }
  const Status kept = diary_.ran(job, status, context_.clock.wall_now());
  if (!kept) say("it cannot be kept that " + job + " ran: " + kept.error().to_string());
}

void ServeLoop::keep_children() {
  for (const auto& capture : captures_)
    if (const auto status = capture->tick())
      say(fmt::format("{} ended with {}{}", capture->spec().name, *status,
                      capture->over() ? ", for good" : ": it is started again"));
  for (auto job = working_.begin(); job != working_.end();) {
    if (const auto status = job->second->tick()) job_ended(job->first, *status);
    job = job->second->over() ? working_.erase(job) : std::next(job);
  }
  look_at_backups();
  const MonoTime now = context_.clock.mono_now();
  if (now - schedule_looked_ < kLookAtSchedule) return;
  schedule_looked_ = now;
  if (const auto ledger = respond::read_drills(context_.files, drills_folder(context_))) {
    drills_ = ledger->records;
    std::erase_if(drills_,
                  [&](const auto& record) { return !record.service.empty() && record.service != plan_.service; });
  }
  if (now - begun_ < options_.jobs_after) return;
  begin_due_jobs(context_.clock.wall_now());
}

bool ServeLoop::is_restorable(const std::string& repository) const {
  for (std::size_t i = 0; i < jobs_.backups.size(); ++i)
    if (jobs_.backups[i].repository == repository && restorable_[i]) return true;
  return false;
}

void ServeLoop::begin_due_jobs(WallTime now) {
  // Copies of old settings hold passwords: they go once no undo can ask for them, also where no further run ends.
  const ChildSpec clean{"run clean", {"run", "clean"}, {}, {}, false};
  if (!working_.contains(clean.name) && diary_.is_due(clean.name, kHourly, now)) begin_job(clean.name, clean);
  if (options_.capture) {
    for (std::size_t i = 0; i < jobs_.backups.size(); ++i) {
      const ChildSpec& expire = jobs_.backups[i].expire;
      if (restorable_[i] && !working_.contains(expire.name) && diary_.is_due(expire.name, kDaily, now))
        begin_job(expire.name, expire);
    }
    for (const ServedRepository& repository : jobs_.repositories)
      if (is_restorable(repository.id) && !working_.contains(repository.verify.name) &&
          diary_.is_due(repository.verify.name, kWeekly, now))
        begin_job(repository.verify.name, repository.verify);
  }
  // A drill before the first base would only fail.
  if (options_.drills && std::ranges::find(restorable_, false) == restorable_.end()) begin_due_drill(now);
}

// One at a time, and never beside a real disaster.
void ServeLoop::begin_due_drill(WallTime now) {
  const bool drilling = std::ranges::any_of(working_, [](const auto& job) { return job.first.starts_with("drill "); });
  if (drilling || resting_ || incidents_.open() > 0 || !runs_.active().empty()) return;
  std::map<std::string, std::string> refusals;
  std::optional<DrillJob> next;
  for (const respond::ScheduledDrill& due : respond::due_drills(plan_, drills_, now)) {
    DrillJob job = drill_job(plan_, due, jobs_);
    if (job.refusal.empty() && is_guarded(due.environment)) job.refusal = what_is_wrong();
    // A drill that left no record would be begun again at once.
    const bool is_time = diary_.is_due(job.spec.name, std::min<Duration>(due.every, kDaily), now);
    if (!job.refusal.empty())
      refusals[job.spec.name] = job.refusal;
    else if (is_time && !next)
      next = std::move(job);
  }
  {
    const std::lock_guard lock(mutex_);  // the API's threads read them
    refusals_ = std::move(refusals);
  }
  if (!next) return;
  say(next->spec.name + " is due");
  rest_looked_ = {};  // before the drill does anything
  const std::string name = next->spec.name;
  begin_job(name, std::move(next->spec));
}

void ServeLoop::look_at_backups() {
  const MonoTime now = context_.clock.mono_now();
  for (std::size_t i = 0; i < asking_.size(); ++i) {
    if (asking_[i]) {
      if (const auto status = asking_[i]->tick())
        read_backup(i, *status == 0 || *status == kDamageFound);
      else if (now - asked_[i] > kAnswerWithin)
        read_backup(i, false);
      else
        continue;
      asking_[i].reset();  // kills it when it hangs
      continue;
    }
    if (asked_[i] != MonoTime{} && now - asked_[i] < (restorable_[i] ? kAskBackups : kAskFirst)) continue;
    asked_[i] = now;
    ChildSpec spec = jobs_.backups[i].status;
    if (!context_.files.create_directories(folder("status"))) continue;
    spec.output_file = folder("status") + "/" + std::to_string(i) + ".json";
    static_cast<void>(context_.files.remove(spec.output_file));
    asking_[i] = std::make_unique<Child>(
        std::move(spec), [this](const ChildSpec& each) { return start_child(each); }, context_.clock);
    if (asking_[i]->tick()) asking_[i].reset();
  }
}

void ServeLoop::read_backup(std::size_t index, bool answered) {
  const ServedBackup& served = jobs_.backups[index];
  const auto text = context_.files.read_all(folder("status") + "/" + std::to_string(index) + ".json", kLargestAnswer);
  nlohmann::json source;
  if (answered && text) {
    // Warnings go to the same file, before what is the answer.
    const auto json = nlohmann::json::parse(text->substr(std::min(text->find("{\n"), text->size())), nullptr, false);
    if (json.is_object() && json.contains("sources") && json["sources"].is_array())
      for (const auto& each : json["sources"])
        if (each.is_object() && each.value("name", "") == served.source) source = each;
  }
  if (source.is_object() && source.contains("windows") && !source["windows"].empty()) restorable_[index] = true;
  for (BackupView& view : backups_) {
    if (std::ranges::find(served.backups, view.id) == served.backups.end()) continue;
    view.away = source.is_null();
    if (view.away) continue;  // what was known grows older by itself
    view.age_seconds = number(source, "last_entry_age_seconds");
    view.lag_seconds = number(source, "lag_seconds");
    view.asked = context_.clock.wall_now();
  }
}

}  // namespace anclora::app
