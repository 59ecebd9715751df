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

RunHolder holder_of(storage::ReadStore& store, const storage::Repository& repository, const std::string& run,
                    std::uint64_t generation) {
  RunHolder holder{"another runner", {}};
  const auto text = storage::read_record(store, repository, kKind, claim_id(run, generation));
  const auto json = text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
  if (!json.is_object()) return holder;
  if (json.contains("runner") && json["runner"].is_string()) holder.runner = json["runner"];
  if (json.contains("place") && json["place"].is_string()) holder.place = json["place"];
  return holder;
}

Error fenced_by(storage::ReadStore& store, const storage::Repository& repository, const std::string& run,
                std::uint64_t generation) {
  return Error(ErrorKind::kFenced,
               fmt::format("{} took {} over (generation {})", holder_of(store, repository, run, generation).runner, run,
                           generation),
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
                                                 const std::string& run, const RunHolder& holder, std::uint64_t known,
                                                 Clock& clock, Random& random) {
  ASSIGN_OR_RETURN(const std::uint64_t newest, newest_claim(store, run, known));
  auto claim = assume(store, repository, run, holder, newest + 1, clock, random);
  ASSIGN_OR_RETURN(const bool written, claim->write());
  if (written) return claim;
  return Error(ErrorKind::kUnavailable, store.describe() + " is away: the run cannot be claimed there");
}

std::unique_ptr<RunClaim> RunClaim::assume(storage::AppendStore& store, const storage::Repository& repository,
                                           const std::string& run, const RunHolder& holder, std::uint64_t generation,
                                           Clock& clock, Random& random) {
  return std::unique_ptr<RunClaim>(new RunClaim(store, repository, run, holder, generation, clock, random));
}

Result<std::string> RunClaim::foreign_since(storage::ReadStore& store, const storage::Repository& repository,
                                            const std::string& run, std::uint64_t known, const RunHolder& holder) {
  ASSIGN_OR_RETURN(const std::uint64_t newest, newest_claim(store, run, known));
  for (std::uint64_t generation = known + 1; generation <= newest; ++generation) {
    const RunHolder other = holder_of(store, repository, run, generation);
    const bool ours =
        other.place.empty() ? host_of(other.runner) == host_of(holder.runner) : other.place == holder.place;
    if (!ours) return other.runner;
  }
  return std::string();
}

Result<bool> RunClaim::write() {
  nlohmann::ordered_json json = {{"format", 1},
                                 {"run", run_},
                                 {"generation", generation_},
                                 {"runner", holder_.runner},
                                 {"time", format_rfc3339(begun_)}};
  if (!holder_.place.empty()) json["place"] = holder_.place;
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
