// Who runs a run: a claim in the repository, fenced as its log is. The next generation's claim can be created once;
// whoever creates it holds the run, and the holder before it finds out before its next change.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "storage/repository/repository.h"
#include "storage/store/store.h"

namespace anclora::respond {

inline constexpr Duration kClaimCheckedFor = std::chrono::seconds(2);

// Who runs a run.
struct RunHolder {
  std::string runner;  // "host:pid", for people
  // An id of the folder that the run's journal is in, which no other machine or container has, whatever its host name;
  // empty in claims of versions that had none.
  std::string place;
};

// check() from any thread. `store` and `repository` outlive it; the store's calls must give up within seconds.
class RunClaim {
 public:
  // Creates the claim of the generation after the newest one, and after `known`. kFenced when another was faster;
  // kUnavailable when the repository is away.
  static Result<std::unique_ptr<RunClaim>> take(storage::AppendStore& store, const storage::Repository& repository,
                                                const std::string& run, const RunHolder& holder, std::uint64_t known,
                                                Clock& clock, Random& random);
  // While the repository is away: the claim is made by the first check() that reaches it, and fenced if that is too
  // late.
  static std::unique_ptr<RunClaim> assume(storage::AppendStore& store, const storage::Repository& repository,
                                          const std::string& run, const RunHolder& holder, std::uint64_t generation,
                                          Clock& clock, Random& random);
  // Who ("host:pid") claimed a generation after `known` from another place, or where a claim names none from another
  // host; empty when nobody did.
  static Result<std::string> foreign_since(storage::ReadStore& store, const storage::Repository& repository,
                                           const std::string& run, std::uint64_t known, const RunHolder& holder);

  std::uint64_t generation() const { return generation_; }
  // kFenced when a newer generation was claimed, naming its holder. Asks the repository at most every 2 s; while that
  // is away it is ok, for the run must not wait for it.
  Status check();

 private:
  RunClaim(storage::AppendStore& store, const storage::Repository& repository, std::string run, RunHolder holder,
           std::uint64_t generation, Clock& clock, Random& random)
      : store_(store),
        repository_(repository),
        run_(std::move(run)),
        holder_(std::move(holder)),
        generation_(generation),
        clock_(clock),
        random_(random),
        begun_(clock.wall_now()) {}
  // True once the claim stands; false while the repository is away. kFenced when another's stands there.
  Result<bool> write();

  storage::AppendStore& store_;
  const storage::Repository& repository_;
  const std::string run_;
  const RunHolder holder_;
  const std::uint64_t generation_;
  Clock& clock_;
  Random& random_;
  const WallTime begun_;  // the same in every attempt to write it: a put whose reply was lost is known again
  std::mutex mutex_;
  bool written_ = false;
  std::optional<MonoTime> asked_;
  std::optional<Error> fenced_;
};

}  // namespace anclora::respond
