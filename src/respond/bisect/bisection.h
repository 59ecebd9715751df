// Which command did the damage: halves the stream between a good and a bad point, bringing the middle up and asking a
// check, until one command (or one MULTI) is left. About log2 of the commands in between, and two more.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "protect/restore/recovery_point.h"
#include "protect/restore/source_view.h"

namespace anclora::respond {

enum class Judgement : std::uint8_t { kGood, kBad };

struct BisectTrial {
  protect::RecoveryPoint point;
  Judgement judgement = Judgement::kGood;
  std::string said;  // what the check said, one line
  Duration took{};
};

struct Suspect {
  storage::Position position;  // of its first byte
  WallTime time;
  std::uint32_t database = 0;
  std::string command;  // escaped and bounded
};

struct BisectOutcome {
  protect::RecoveryPoint last_good, first_bad;
  std::vector<BisectTrial> trials;
  std::vector<Suspect> suspects;  // the command, or those of the MULTI, between the two; at most 100
  std::uint64_t suspect_count = 0;
};

// Brings a point up and asks. An error ends the search: what the check cannot tell is not guessed.
using JudgePoint = std::function<Result<BisectTrial>(const protect::RecoveryPoint&)>;

// `from` and `to` are points of one timeline, from < to. Assumes that what is once bad stays bad. kFailedPrecondition:
// `to` is good (nothing to look for), `from` is bad already (look further back), or they are on two timelines; the hint
// says what to try.
Result<BisectOutcome> bisect(const protect::SourceView& source, const protect::RecoveryPoint& from,
                             const protect::RecoveryPoint& to, WallTime now, const JudgePoint& judge);

}  // namespace anclora::respond
