// Who is to be told of an incident now, and when to ask again. Pure: the plan's levels, the facts so far, the time.
//
// The levels of the incident's severity, in the plan's order. A level is told when the first of these holds:
// - when: after: so long after the declaration;
// - the level before it was told and nobody acknowledged within its acknowledge_within;
// - when: forecast_over_rto, elapsed_over_rto, elapsed_over_rto_max: the run's forecast, or the time since the outage
//   began, has passed the objective.
// It is told again every `repeat_every`, or its own acknowledge_within where that is longer, while nobody has it.
//
// As with the usual pagers, an acknowledgement by anybody stops the climb and the repeats, and does not last for ever:
// it holds for `acknowledgement_holds` after it was given or after the last progress (a step done, a note by a person),
// whichever is later. Then the climb goes on as if it had never been given. What it does not stop is the first word to
// a level of a missed objective: that the RTO will be missed is news to whom that level names, whoever works on it.
// Once the service is restored or the incident closed, everybody who was told is told so, once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "plan/plan.h"

namespace anclora::respond {

struct EscalationFacts {
  std::string severity;
  WallTime declared;
  std::optional<WallTime> out_since;     // the first bad probe; the declaration where it is not known
  std::optional<WallTime> acknowledged;  // the latest one
  std::optional<WallTime> progress;      // the latest
  std::optional<Duration> forecast;      // the whole RTO as the run expects it, from out_since on
  std::optional<WallTime> over;          // restored or closed
  struct Told {
    std::string level;  // id
    WallTime at;
  };
  std::vector<Told> told;  // in the order of time; also of levels of another severity that it had before
  bool told_over = false;  // that it is over
};

struct EscalationOptions {
  Duration repeat_every = std::chrono::minutes(5);
  Duration acknowledgement_holds = std::chrono::minutes(30);
};

enum class WhyTold : std::uint8_t { kTime, kUnanswered, kForecast, kOverRto, kOverRtoMax, kAgain };
// "the forecast passes the RTO", ...: for people.
std::string_view to_string(WhyTold why);

struct LevelCall {
  const plan::EscalationLevel* level = nullptr;  // of the plan that was given
  WhyTold why = WhyTold::kTime;
  bool answer_wanted = true;  // false while somebody has it
};

struct Escalation {
  std::vector<LevelCall> tell;    // now, in the plan's order
  std::vector<std::string> over;  // ids of levels to be told now that it is over
  std::optional<WallTime> wake;   // when to ask again though no fact changes; nothing: never
  bool held = false;              // an acknowledgement holds
};

// Facts later than `now` must not be given. What it says to tell is a fact (`told`) once it has been told.
Escalation escalate(const plan::Plan& plan, const EscalationFacts& facts, WallTime now,
                    const EscalationOptions& options = {});

}  // namespace anclora::respond
