// Bases made without the source: a scratch server brought to an exact offset, checked, saved, and put into the
// repository with a checkpoint that announces it. The log is never appended to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protect/restore/scratch_restore.h"
#include "redis/client/info.h"
#include "storage/repository/base_writer.h"

namespace anclora::protect {

struct ScratchProof {
  RecoveryPoint point;
  std::string digest;  // DEBUG DIGEST, equal after a reload from its own RDB
  std::vector<redis::Keyspace> keyspaces;
  std::uint64_t commands = 0;  // replayed
  Duration took{0};            // to bring it up
  std::vector<RestoreCheck> checks;
  std::optional<storage::BaseInfo> published;
  std::string doubt;  // whether the source can load it, where that cannot be said: for the person
};

// Brings the point up and checks it: exact offset, no replication errors, equal digest after reload. With `publish_to`
// it becomes a base there, unless the plan's base already is that point: a check says which. kDataLoss when one fails.
// Where the settings do not say who has to load that base, the repository does (recorded_source.h), if it is sure.
Result<ScratchProof> prove_by_scratch(RestoreInput input, const RestorePlan& plan, storage::AppendStore* publish_to,
                                      const ScratchSettings& settings, const RestoreTools& tools,
                                      const OnRestoreProgress& on_progress);

// Encodes the RDB in a file as a base of origin `origin` and puts it part by part; announces nothing. A name that an
// interrupted attempt left behind is passed over by the next attempt's number.
struct BasePlace {
  std::string source;
  storage::Position position;
  WallTime time;
  std::uint32_t database = 0;
  std::string origin;  // "scratch", "safety"
};
Result<storage::BaseInfo> publish_rdb_file(storage::AppendStore& store, const storage::Repository& repository,
                                           const BasePlace& place, const std::string& rdb_file,
                                           const std::string& work_directory, const RestoreTools& tools);

// Writes an RDB that arrives in pieces into a base; see publish_rdb_file. One thread.
class BasePublisher {
 public:
  static Result<std::unique_ptr<BasePublisher>> begin(storage::AppendStore& store,
                                                      const storage::Repository& repository, const BasePlace& place,
                                                      const std::string& work_directory, const RestoreTools& tools);
  ~BasePublisher();
  Status write(ByteView rdb);
  Result<storage::BaseInfo> finish();

 private:
  BasePublisher(storage::AppendStore& store, FileSystem& files, BasePlace place, std::string folder)
      : store_(store), files_(files), place_(std::move(place)), folder_(std::move(folder)) {}
  Status publish_ready();

  storage::AppendStore& store_;
  FileSystem& files_;
  BasePlace place_;
  std::string folder_;
  std::unique_ptr<storage::BaseEncoder> encoder_;
};

}  // namespace anclora::protect
