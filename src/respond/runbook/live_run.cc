#include "respond/runbook/live_run.h"

#include <algorithm>
#include <utility>

namespace anclora::respond {
namespace {

constexpr std::size_t kShortestMasked = 4;  // a shorter one would mask half of every text

// What of a resolved reference must not be seen: of a URL its password, of a path nothing, else all of it.
Secret hidden_part(const Secret& secret) {
  const std::string& text = secret.reveal();
  if (text.starts_with('/')) return Secret();
  const std::size_t scheme = text.find("://");
  if (scheme == std::string::npos) return secret;
  const std::size_t begin = scheme + 3;
  const std::size_t end = text.substr(0, text.find_first_of("/?", begin)).rfind('@');
  if (end == std::string::npos || end < begin) return Secret();
  const std::size_t colon = text.find(':', begin);
  if (colon == std::string::npos || colon > end) return Secret();
  return Secret(text.substr(colon + 1, end - colon - 1));
}

}  // namespace

LiveRun::LiveRun(RunWorld world, plan::Plan plan, RunPlan run, std::unique_ptr<RunJournal> journal, RunState state)
    : world_(std::move(world)),
      plan_(std::move(plan)),
      run_(std::move(run)),
      journal_(std::move(journal)),
      state_(std::move(state)) {}

RunState LiveRun::state() const {
  const std::scoped_lock lock(mutex_);
  return state_;
}

std::pair<RunState, InFlight> LiveRun::snapshot() const {
  const std::scoped_lock lock(mutex_);
  InFlight in_flight;
  for (const auto& [step, attempt] : attempts_) in_flight[step] = attempt->deadline;
  return {state_, std::move(in_flight)};
}

void LiveRun::mask(std::string& text) const {
  for (const Secret& secret : secrets_)
    for (std::size_t at = 0; (at = text.find(secret.reveal(), at)) != std::string::npos; at += 3)
      text.replace(at, secret.reveal().size(), "***");
}

Status LiveRun::record_locked(RunRecord record, bool sync) {
  if (failure_) return *failure_;
  mask(record.text);
  // What other steps or an undo will use stays as it is: by contract outputs hold no secret.
  const bool used_again = record.kind == RecordKind::kOutcome || record.kind == RecordKind::kKept;
  if (!used_again)
    for (auto& [name, value] : record.fields) mask(value);
  // Proved on a copy first: what the fold refuses must not get into the journal.
  RunState next = state_;
  record.number = state_.last_number + 1;
  record.time = world_.clock.wall_now();
  if (const Status fits = apply(run_, next, record); !fits) {
    fail_locked(fits.error());
    return fits.error();
  }
  const auto written = journal_->append(record, record.time, sync);
  if (!written) {
    fail_locked(written.error());
    return written.error();
  }
  state_ = std::move(next);
  if (world_.watch) world_.watch(*written, journal_->last_line(), state_);
  recorded_.notify_all();
  return {};
}

Status LiveRun::record(RunRecord record) {
  const std::scoped_lock lock(mutex_);
  return record_locked(std::move(record), true);
}

Status LiveRun::record_judged(const std::function<Result<std::vector<RunRecord>>(const RunState&)>& judge) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(std::vector<RunRecord> records, judge(state_));
  for (RunRecord& record : records) RETURN_IF_ERROR(record_locked(std::move(record), &record == &records.back()));
  return {};
}

Status LiveRun::record(StepAttempt& attempt, RunRecord record, bool last) {
  const std::scoped_lock lock(mutex_);
  if (attempt.given_up) return Error(ErrorKind::kCancelled, "the engine gave this attempt up");
  record.step = run_.steps[attempt.step].step.id;
  record.attempt = attempt.number;
  const bool sync = record.kind != RecordKind::kNote;
  const Status recorded = record_locked(std::move(record), sync);
  if (last) attempts_.erase(attempt.step);
  return recorded;
}

Status LiveRun::begin(const std::shared_ptr<StepAttempt>& attempt, const std::optional<RunRecord>& intent) {
  const std::scoped_lock lock(mutex_);
  if (intent) RETURN_IF_ERROR(record_locked(*intent, true));
  if (failure_) return *failure_;
  attempts_[attempt->step] = attempt;
  return {};
}

Status LiveRun::abandon(std::size_t step, const std::function<std::optional<RunRecord>(const StepStatus&)>& judge) {
  const std::scoped_lock lock(mutex_);
  if (const auto found = attempts_.find(step); found != attempts_.end()) {
    found->second->given_up = true;
    attempts_.erase(found);
  }
  std::optional<RunRecord> verdict = judge(state_.steps[step]);
  if (!verdict) return {};
  verdict->step = run_.steps[step].step.id;
  verdict->attempt = state_.steps[step].attempt;
  return record_locked(std::move(*verdict), true);
}

void LiveRun::fail_locked(const Error& error) {
  if (failure_) return;
  failure_ = error;
  for (const auto& [step, attempt] : attempts_) attempt->given_up = true;
  recorded_.notify_all();
}

void LiveRun::fail(const Error& error) {
  const std::scoped_lock lock(mutex_);
  fail_locked(error);
}

Status LiveRun::failure() const {
  const std::scoped_lock lock(mutex_);
  return failure_ ? Status(*failure_) : Status();
}

void LiveRun::wait(Duration timeout, std::uint64_t seen) {
  std::unique_lock lock(mutex_);
  recorded_.wait_for(lock, timeout, [&] { return failure_ || state_.last_number != seen; });
}

void LiveRun::remember(const Secret& resolved) {
  const Secret secret = hidden_part(resolved);
  const std::scoped_lock lock(mutex_);
  if (secret.reveal().size() < kShortestMasked) return;
  const bool known = std::ranges::any_of(secrets_, [&](const Secret& other) { return other.equals(secret); });
  if (!known) secrets_.push_back(secret);
}

}  // namespace anclora::respond
