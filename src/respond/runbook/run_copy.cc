#include "respond/runbook/run_copy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <optional>

#include "respond/runbook/run_folder.h"
#include "respond/runbook/run_journal.h"
#include "storage/repository/record.h"

namespace anclora::respond {
namespace {

constexpr std::string_view kJournalKind = "run-journal";
constexpr std::string_view kPlanKind = "run-plan";
constexpr std::chrono::milliseconds kGather{200};
constexpr std::chrono::seconds kRetryAfter{1};
constexpr Duration kLastChance = std::chrono::seconds(5);
constexpr std::size_t kMaxBatchLines = 1000;

constexpr std::size_t kIdEndBytes = 21;  // of a run's id: the time of its begin, and what makes it unique
constexpr std::size_t kRunsNamed = 5;

std::string newest_of(const std::vector<std::string>& runs) {
  return fmt::format("{}", fmt::join(runs.begin(), runs.begin() + std::min(runs.size(), kRunsNamed), ", "));
}

std::string batch_id(const std::string& run, std::uint64_t generation, std::uint64_t first) {
  return fmt::format("{}.{:06}.{:010}", run, generation, first);
}

bool is_written(const Status& status) {
  // Another batch under this name holds the same lines: a runner of this generation wrote it before it was killed.
  return status || status.error().kind() == ErrorKind::kAlreadyExists;
}

// Takes over the lines of one batch: those after `lines`' end, or instead of them where a newer generation forked.
void join(std::vector<std::string>& lines, std::string_view batch) {
  while (!batch.empty()) {
    const std::size_t end = batch.find('\n');
    const std::string line(batch.substr(0, end));
    batch.remove_prefix(end == std::string_view::npos ? batch.size() : end + 1);
    const auto decoded = decode_record(line);
    if (!decoded || decoded->record.number == 0 || decoded->record.number > lines.size() + 1) return;
    const std::size_t before = decoded->record.number - 1;
    if (before < lines.size() && lines[before] == line) continue;
    const auto previous = before == 0 ? std::nullopt : std::optional(decode_record(lines[before - 1]));
    if (decoded->previous != (previous ? (*previous)->hash : Hash256{})) return;
    lines.resize(before);
    lines.push_back(line);
  }
}

}  // namespace

RunCopy::RunCopy(storage::AppendStore& store, const storage::Repository& repository, std::string run,
                 std::uint64_t generation, Bytes plan, Random& random)
    : store_(store),
      repository_(repository),
      run_(std::move(run)),
      generation_(generation),
      plan_(std::move(plan)),
      random_(random),
      thread_([this] { work(); }) {}

RunCopy::~RunCopy() {
  flush(kLastChance);
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void RunCopy::add(std::uint64_t number, const std::string& line) {
  const std::scoped_lock lock(mutex_);
  waiting_.emplace_back(number, line);
  changed_.notify_all();
}

bool RunCopy::flush(Duration timeout) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [this] { return waiting_.empty() && !busy_; });
}

bool RunCopy::write_batch(std::uint64_t first, const std::string& lines) {
  if (!plan_written_) {
    plan_written_ = is_written(storage::write_record(store_, repository_, kPlanKind, run_, plan_, random_));
    if (!plan_written_) return false;
  }
  return is_written(
      storage::write_record(store_, repository_, kJournalKind, batch_id(run_, generation_, first), lines, random_));
}

void RunCopy::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    changed_.wait_for(lock, kGather, [this] { return stopping_; });
    const std::size_t count = std::min(waiting_.size(), kMaxBatchLines);
    const std::uint64_t first = waiting_.front().first;
    std::string lines;
    for (std::size_t i = 0; i < count; ++i) lines += waiting_[i].second + "\n";
    busy_ = true;
    // The same bytes until they stand there: a put whose reply was lost is then known again.
    for (bool written = false; !written && !stopping_;) {
      lock.unlock();
      written = write_batch(first, lines);
      lock.lock();
      if (!written) changed_.wait_for(lock, kRetryAfter, [this] { return stopping_; });
    }
    busy_ = false;
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
    changed_.notify_all();
  }
}

Result<std::vector<std::string>> list_copied_runs(storage::ReadStore& store) {
  ASSIGN_OR_RETURN(std::vector<std::string> runs, storage::list_records(store, kPlanKind));
  const auto begun = [](const std::string& run) { return run.substr(run.size() - std::min(run.size(), kIdEndBytes)); };
  std::ranges::sort(runs, std::ranges::greater(), begun);
  return runs;
}

Result<CopiedRun> fetch_run(storage::ReadStore& store, const storage::Repository& repository, const std::string& run) {
  CopiedRun copy;
  auto plan = storage::read_record(store, repository, kPlanKind, run);
  if (!plan && plan.error().kind() == ErrorKind::kNotFound) {
    ASSIGN_OR_RETURN(const std::vector<std::string> runs, list_copied_runs(store));
    return Error(ErrorKind::kNotFound, fmt::format("{} holds no copy of the run {}", store.describe(), run),
                 runs.empty()
                     ? "is it the plan's repository? The machine that ran it has the journal in its state folder"
                     : "the newest it has: " + newest_of(runs));
  }
  if (!plan) return plan.error();
  copy.plan = std::move(*plan);
  ASSIGN_OR_RETURN(const std::vector<std::string> ids, storage::list_records(store, kJournalKind));
  for (const std::string& id : ids) {  // sorted: by generation, then by number
    if (!id.starts_with(run + ".")) continue;
    ASSIGN_OR_RETURN(const Bytes batch, storage::read_record(store, repository, kJournalKind, id));
    join(copy.lines, batch);
  }
  if (copy.lines.empty())
    return Error(ErrorKind::kNotFound, fmt::format("{} holds no journal of the run {}", store.describe(), run));
  return copy;
}

Status plant_run(FileSystem& files, const std::string& folder, const CopiedRun& copy) {
  RETURN_IF_ERROR(create_run_folder(files, folder, copy.plan));
  ASSIGN_OR_RETURN(const auto journal, RunJournal::open(files, folder, {}));
  for (const std::string& line : copy.lines) {
    ASSIGN_OR_RETURN(const DecodedRecord decoded, decode_record(line));
    RETURN_IF_ERROR(journal->adopt(line, decoded));
  }
  return journal->sync();
}

}  // namespace anclora::respond
