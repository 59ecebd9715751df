// Every probe that a plan may name, those included that need more than a connection: services by their supervisor,
// backups by their repository.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "base/file_system.h"
#include "base/random.h"
#include "base/socket.h"
#include "respond/actions/opened_repository.h"
#include "respond/detect/probe_maker.h"

namespace anclora::respond {

// All of it outlives the probes.
struct ProbeMeans {
  Dialer& dialer;
  FileSystem& files;
  Random& random;
  OpenRepository open;  // empty: probe.backup is kUnsupported
  // When the repository's newest verification passed; nothing when there was none, or it failed.
  std::function<Result<std::optional<WallTime>>(const OpenedRepository&)> verified;
};

// How far what can be restored is behind the source, for probe.backup. `state` has a head, `newest` is its newest
// window.
Duration backup_lag(const storage::SourceState& state, const storage::RecoveryWindow& newest, WallTime now);

// What speaks against the verification of a source for probe.backup; empty: nothing. `passed`: when the repository's
// newest one did.
std::string verification_complaint(const std::optional<WallTime>& passed, const storage::SourceState& state,
                                   Duration within, WallTime now);

// As make_probe(), and probe.service and probe.backup. `plan` outlives the probe.
// probe.service: down when fewer than `at_least` instances run; unknown when the supervisor cannot be asked. Facts:
// running. probe.backup: down when the newest point is further behind than `max_lag`, there is none, or the last passed
// verification of that source is older than `verified_within`; unknown when the repository cannot be read. Facts:
// lag_seconds, position.
Result<std::unique_ptr<Probe>> make_plan_probe(std::string_view uses, const plan::Value& with, const plan::Plan& plan,
                                               const PlanLookup& lookup, const ProbeMeans& means, Clock& clock);

}  // namespace anclora::respond
