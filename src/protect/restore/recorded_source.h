// Which server the source is, by what the repository says: for a base that is made without asking the source.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "protect/restore/source_view.h"
#include "redis/rdb/rdb_versions.h"

namespace anclora::protect {

struct RecordedSource {
  // As INFO beside the newest base has it: of when the source last sent a base, which later ones carry on. Nothing: it
  // was never told, or the document is damaged.
  std::optional<redis::Product> server;
  // It was a primary then, and its history has the same replication id still: no restart and no failover since that
  // capture has seen, so no upgrade either. Else it may be another version by now.
  bool unchanged = false;
  std::optional<redis::RdbMagic> newest_base;  // what the newest base is
};

// Errors: of the store.
Result<RecordedSource> recorded_source(const SourceView& source);

// What to tell a person of `base`, which was made now: empty where the source loads it for all that is recorded.
std::string doubt_of(const RecordedSource& source, const storage::BaseInfo& base);

}  // namespace anclora::protect
