// The drill that needs no plan: a recovery point is restored into a throw-away redis-server, by the very restore that a
// disaster would use, checked, measured and thrown away.
#pragma once

#include <optional>
#include <string>

#include "protect/restore/scratch_restore.h"
#include "protect/restore/source_view.h"
#include "protect/restore/when.h"
#include "redis/client/redis_url.h"
#include "respond/drill/drill_record.h"

namespace anclora::respond {

struct RestoreDrillOptions {
  protect::When when = protect::WhenLatest{};
  std::string redis_server = "redis-server";  // of the source's version or later
  std::string work_directory = "/tmp";        // the drill's own: whoever cleans up removes it
  // The live source is asked (INFO, and its beacon) how far it is before the point is chosen. It is only looked at.
  std::optional<redis::RedisUrl> source;
  std::string beacon_key;           // empty: none
  std::optional<MonoTime> started;  // when the RTO clock began; nothing: with the call
  bool digest = true;  // DEBUG DIGEST, equal after a reload: about twice the time of the load, outside the RTO
};

// Fills `record`: achieved, checks, steps, facts, reasons. The RTO ends when the server serves
// the point with its offset, replication errors and key counts checked. RPO: what the source has done since, by the
// beacons of both, else by the source's offset, else from the point's time to now. Every failure is a reason in the
// record; an error is only kCancelled. One thread.
Status run_restore_drill(const protect::SourceView& source, const RestoreDrillOptions& options,
                         const protect::RestoreTools& tools, const protect::OnRestoreProgress& on_progress,
                         DrillRecord& record);

}  // namespace anclora::respond
