// redis://host:port: we serve as the primary of a running Redis until it stands at the recovery point exactly, check it
// while it is still a replica, and promote it last.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/socket.h"
#include "protect/restore/restore_outcome.h"
#include "protect/restore/safety_copy.h"
#include "protect/restore/target_preflight.h"
#include "protect/restore/target_record.h"

namespace anclora::protect {

struct LiveTargetOptions {
  redis::RedisUrl target;
  // Where we serve, as the target can reach it. Nothing: the address by which this machine reaches the target, and a
  // free port. A wildcard address (0.0.0.0, ::) listens everywhere and is announced as that address.
  std::optional<Endpoint> listen;
  std::optional<Endpoint> announce;                  // what the target is told instead, e.g. behind a NAT
  std::optional<TlsOptions> listen_tls;              // for a target whose tls-replication is on
  bool replace = false;                              // a target that holds keys is refused without it
  storage::AppendStore* safety = nullptr;            // where the copy of it goes that --replace takes first
  Duration dial_timeout = std::chrono::seconds(15);  // for the target to reach us
  Duration timeout = std::chrono::hours(24);
  std::string work_directory = "/tmp";
  // Where it is kept what a restore changes on its target (target_record.h), so that a killed one can be undone. Empty:
  // nowhere.
  std::string record_folder;
  // Is told the same before the first change: for whoever goes on with it on another machine. May be empty.
  std::function<void(const TargetRecord&)> on_record;
  bool compare_keys = true;  // with what the source counted at the newest offset before the point where it did
};

// Everything that pre-flight finds, without changing anything: for --dry-run. A target that loads is waited for. An
// error: it cannot be asked.
Result<std::vector<PreflightFinding>> preflight_live(const RestoreInput& input, TargetNeeds needs,
                                                     const LiveTargetOptions& options, Dialer& dialer,
                                                     const RestoreTools& tools, const OnRestoreProgress& on_progress);

// Blocks until the target is promoted and checked, or an error. kFailedPrecondition: pre-flight refused it, and nothing
// was changed. After every other error the target's settings are put back; a target that still has its old data is made
// a primary again, one that holds part of the new is left a replica, read-only (also where replica-read-only was no),
// and the hint says so. What a killed restore left on the target is undone first, or written over.
Result<RestoreOutcome> restore_to_live(RestoreInput input, const RestorePlan& plan, const TargetNeeds& needs,
                                       const LiveTargetOptions& options, Dialer& dialer, const RestoreTools& tools,
                                       const OnRestoreProgress& on_progress);

}  // namespace anclora::protect
