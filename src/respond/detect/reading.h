// What one look of a probe saw. Unknown is not down: an answer that says nothing about the thing itself (wrong
// password, loading, our own resolver broken) is unknown.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "plan/plan.h"

namespace anclora::respond {

using plan::ProbeState;

struct Reading {
  ProbeState state = ProbeState::kUnknown;
  std::string reason;                        // "connection refused"; empty when up
  std::map<std::string, std::string> facts;  // "role": "master", "lag_seconds": "0.2"; never a secret
  WallTime at;                               // when the look began: an outage is as old as its first bad look
  Duration took{};
  std::optional<WallTime> received = {};  // when another observer's word came, by our clock; nothing: our own look
};

// "up", "down", "unknown": stable, used in --json.
std::string_view to_string(ProbeState state);

}  // namespace anclora::respond
