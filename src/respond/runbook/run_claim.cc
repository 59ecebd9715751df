#include "respond/runbook/run_claim.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "storage/repository/record.h"
#include "storage/repository/sealed_object.h"

namespace anclora::respond {
namespace {

constexpr std::string_view kKind = "run-claim";
constexpr std::uint64_t kMostGenerations = 10'000;

std::string claim_id(const std::string& run, std::uint64_t generation) {
  return fmt::format("{}.{:06}", run, generation);
}

bool is_away(const Error& error) {
  return error.kind() == ErrorKind::kUnavailable || error.kind() == ErrorKind::kDeadlineExceeded;
}

std::string holder_of(storage::ReadStore& store, const storage::Repository& repository, const std::string& run,
                      std::uint64_t generation) {
  if (const auto text = storage::read_record(store, repository, kKind, claim_id(run, generation))) {
    const auto json = nlohmann::json::parse(*text, nullptr, false);
    if (json.is_object() && json.contains("runner") && json["runner"].is_string()) return json["runner"];
  }
  return "another runner";
}

Error fenced_by(storage::ReadStore& store, const storage::Repository& repository, const std::string& run,
                std::uint64_t generation) {
  return Error(
      ErrorKind::kFenced,
      fmt::format("{} took {} over (generation {})", holder_of(store, repository, run, generation), run, generation),
      "leave it alone: this runner changes nothing more");
}

std::string host_of(const std::string& runner) { return runner.substr(0, runner.find_last_of(':')); }

// The newest claimed generation, not below `known`.
Result<std::uint64_t> newest_claim(storage::ReadStore& store, const std::string& run, std::uint64_t known) {
  std::uint64_t generation = known;
  for (; generation < kMostGenerations; ++generation) {
    ASSIGN_OR_RETURN(const bool taken,
                     storage::object_exists(store, storage::layout::record(kKind, claim_id(run, generation + 1))));
    if (!taken) break;
  }
  return generation;
}

}  // namespace

Result<std::unique_ptr<RunClaim>> RunClaim::take(storage::AppendStore& store, const storage::Repository& repository,
                                                 const std::string& run, const std::string& runner, std::uint64_t known,
                                                 Clock& clock, Random& random) {
  ASSIGN_OR_RETURN(const std::uint64_t newest, newest_claim(store, run, known));
  auto claim = assume(store, repository, run, runner, newest + 1, clock, random);
  ASSIGN_OR_RETURN(const bool written, claim->write());
  if (written) return claim;
  return Error(ErrorKind::kUnavailable, store.describe() + " is away: the run cannot be claimed there");
}

std::unique_ptr<RunClaim> RunClaim::assume(storage::AppendStore& store, const storage::Repository& repository,
                                           const std::string& run, const std::string& runner, std::uint64_t generation,
                                           Clock& clock, Random& random) {
  return std::unique_ptr<RunClaim>(new RunClaim(store, repository, run, runner, generation, clock, random));
}

Result<std::string> RunClaim::foreign_since(storage::ReadStore& store, const storage::Repository& repository,
                                            const std::string& run, std::uint64_t known, const std::string& runner) {
  ASSIGN_OR_RETURN(const std::uint64_t newest, newest_claim(store, run, known));
  for (std::uint64_t generation = known + 1; generation <= newest; ++generation) {
    const std::string holder = holder_of(store, repository, run, generation);
    if (host_of(holder) != host_of(runner)) return holder;
  }
  return std::string();
}

Result<bool> RunClaim::write() {
  const nlohmann::ordered_json json = {
      {"format", 1}, {"run", run_}, {"generation", generation_}, {"runner", runner_}, {"time", format_rfc3339(begun_)}};
  const Status put =
      storage::write_record(store_, repository_, kKind, claim_id(run_, generation_), json.dump() + "\n", random_);
  if (!put && put.error().kind() == ErrorKind::kAlreadyExists) return fenced_by(store_, repository_, run_, generation_);
  if (!put && is_away(put.error())) return false;
  if (!put) return put.error();
  written_ = true;
  return true;
}

Status RunClaim::check() {
  const std::scoped_lock lock(mutex_);
  if (fenced_) return *fenced_;
  const MonoTime now = clock_.mono_now();
  if (asked_ && now < *asked_ + kClaimCheckedFor) return {};
  // Of before the call: what was true then is what is known.
  asked_ = now;
  if (!written_) {
    const auto written = write();
    if (!written && written.error().kind() == ErrorKind::kFenced) fenced_ = written.error();
    if (!written) return written.error();
    if (!*written) return {};
  }
  const auto newer = storage::object_exists(store_, storage::layout::record(kKind, claim_id(run_, generation_ + 1)));
  if (newer && !*newer) return {};
  if (newer) {
    fenced_ = fenced_by(store_, repository_, run_, generation_ + 1);
    return *fenced_;
  }
  return is_away(newer.error()) ? Status() : newer.error();
}

}  // namespace anclora::respond
