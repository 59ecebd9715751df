// The separation proof: before its first step a drill shows that nothing it could change is production. What cannot be
// proven is refused.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "plan/plan.h"
#include "respond/drill/drill_record.h"

namespace anclora::respond {

// The world, as far as the proof asks it. Everything is only looked at.
struct SeparationWorld {
  // The value of a reference; what is no secret. kNotFound names a reference that is not set here.
  std::function<Result<std::string>(std::string_view reference)> resolve;
  // All addresses of a host and port as one text each ("127.0.0.1:6379"); empty: the name is unknown here.
  std::function<std::vector<std::string>(const std::string& host, std::uint16_t port)> addresses;
  // The path with every link followed; as given where there is no such file.
  std::function<std::string(const std::string& path)> canonical;
  // A Redis target's run_id by INFO; nothing: it does not answer.
  std::function<std::optional<std::string>(const plan::Target&)> run_id;
  // What a Redis target says of itself under kSandboxKey; nothing: it holds no key at all. An empty text: it holds
  // keys, and not this one.
  std::function<Result<std::optional<std::string>>(const plan::Target&)> sandbox_word;
};

// Whoever builds a sandbox writes its environment's id under this key of its Redis.
inline constexpr std::string_view kSandboxKey = "anclora:dr:sandbox";

// Proves that a drill of `scenario` on `environment` acts on the sandbox alone: the environment is there and a sandbox;
// either all of the plan is the sandbox (`everything`), or each target that a step changes has another in the
// environment, and none of these is reached by an address, path, repository or (of a Redis) run_id of production, also
// under another name. What was compared, as checks for the record. kFailedPrecondition names the first thing that is
// production, or cannot be told from it; kNotFound: no such environment or scenario.
Result<std::vector<DrillCheck>> prove_separation(const plan::Plan& plan, std::string_view environment,
                                                 std::string_view scenario, const SeparationWorld& world);

// What a drill that nobody attends must show besides. Where `everything` of the plan is the sandbox there is nothing to
// compare it with, only the plan's own word, which an edited address makes untrue: so each Redis of the plan that holds
// a key must say itself that it is this sandbox. Elsewhere nothing. kFailedPrecondition names the first that does not.
Result<std::vector<DrillCheck>> prove_unattended(const plan::Plan& plan, std::string_view environment,
                                                 const SeparationWorld& world);

}  // namespace anclora::respond
