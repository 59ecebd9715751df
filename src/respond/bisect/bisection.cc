#include "respond/bisect/bisection.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "protect/find/found_command.h"
#include "protect/find/stream_scan.h"
#include "protect/restore/stream_boundary.h"

namespace anclora::respond {
namespace {

using protect::RecoveryPoint;
using protect::SourceView;
using redis::Offset;
using storage::Position;

constexpr std::size_t kMostSuspects = 100;

class Search {
 public:
  Search(const SourceView& source, RecoveryPoint from, RecoveryPoint to, WallTime now, const JudgePoint& judge)
      : source_(source), good_(std::move(from)), bad_(std::move(to)), now_(now), judge_(judge) {}

  Result<BisectOutcome> run() {
    if (good_.position.timeline != bad_.position.timeline)
      return Error(ErrorKind::kFailedPrecondition,
                   fmt::format("{} and {} are on two timelines", to_string(good_.position), to_string(bad_.position)),
                   "search one timeline at a time: give --since and --until within it (anclora history shows them)");
    if (good_.position >= bad_.position)
      return Error(ErrorKind::kInvalidArgument, "there is nothing between the two points",
                   "--since must be before --until");
    RETURN_IF_ERROR(check_ends());
    while (true) {
      ASSIGN_OR_RETURN(const std::optional<Offset> middle, boundary_between());
      if (!middle) break;
      ASSIGN_OR_RETURN(const RecoveryPoint point, point_at(*middle));
      ASSIGN_OR_RETURN(const Judgement judgement, try_at(point));
      (judgement == Judgement::kGood ? good_ : bad_) = point;
    }
    outcome_.last_good = good_;
    outcome_.first_bad = bad_;
    RETURN_IF_ERROR(name_suspects());
    return std::move(outcome_);
  }

 private:
  Status check_ends() {
    ASSIGN_OR_RETURN(const Judgement newest, try_at(bad_));
    if (newest == Judgement::kGood)
      return Error(ErrorKind::kFailedPrecondition,
                   fmt::format("the check finds nothing wrong at {}", to_string(bad_.position)),
                   "there is nothing to look for, or the check does not see the damage");
    ASSIGN_OR_RETURN(const Judgement oldest, try_at(good_));
    if (oldest == Judgement::kBad)
      return Error(ErrorKind::kFailedPrecondition,
                   fmt::format("the check finds it bad at {} ({}) already", to_string(good_.position),
                               format_rfc3339(good_.time)),
                   "give a --since at which it held: earlier, or later where what it asks for was not there yet; "
                   "anclora status shows how far back one can go");
    return {};
  }

  Result<Judgement> try_at(const RecoveryPoint& point) {
    ASSIGN_OR_RETURN(BisectTrial trial, judge_(point));
    outcome_.trials.push_back(trial);
    return trial.judgement;
  }

  // A place to cut strictly between good and bad, near their middle.
  Result<std::optional<Offset>> boundary_between() const {
    const Offset low = good_.position.offset;
    const Offset high = bad_.position.offset;
    const Offset middle = low + (high.value - low.value) / 2;
    if (middle <= low) return std::optional<Offset>();
    ASSIGN_OR_RETURN(const auto around,
                     protect::find_boundaries(source_, Position{good_.position.timeline, middle}, high));
    if (around.at_or_before > low) return std::optional(around.at_or_before);
    if (around.after && *around.after < high) return around.after;
    return std::optional<Offset>();
  }

  Result<RecoveryPoint> point_at(Offset offset) const {
    return protect::resolve(source_, protect::WhenOffset{good_.position.timeline, offset}, now_);
  }

  Status name_suspects() {
    std::uint64_t bytes_read = 0;
    return protect::scan_commands(source_, good_.position, bad_.position.offset, bytes_read,
                                  [&](const storage::CommandView& command) -> Status {
                                    ++outcome_.suspect_count;
                                    if (outcome_.suspects.size() < kMostSuspects) add_suspect(command);
                                    return {};
                                  });
  }

  void add_suspect(const storage::CommandView& command) {
    constexpr std::size_t kShownArguments = 8;
    std::string text(command.name);
    for (std::size_t i = 0; i < command.arguments.size() && i < kShownArguments; ++i)
      text += " " + protect::escape_argument(command.arguments[i], command.arguments[i].size());
    if (command.argument_count > kShownArguments) text += fmt::format(" ... ({} arguments)", command.argument_count);
    outcome_.suspects.push_back(
        {Position{good_.position.timeline, command.first}, command.time, command.database, std::move(text)});
  }

  const SourceView& source_;
  RecoveryPoint good_, bad_;
  WallTime now_;
  const JudgePoint& judge_;
  BisectOutcome outcome_;
};

}  // namespace

Result<BisectOutcome> bisect(const SourceView& source, const RecoveryPoint& from, const RecoveryPoint& to, WallTime now,
                             const JudgePoint& judge) {
  return Search(source, from, to, now, judge).run();
}

}  // namespace anclora::respond
