// A recovery point brought up in a throw-away redis-server on this machine, still a replica, at exactly that offset.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "base/random.h"
#include "base/socket.h"
#include "protect/restore/replay_source.h"
#include "protect/restore/restore_plan.h"
#include "protect/restore/restore_progress.h"
#include "redis/replication/feeder.h"
#include "redis/scratch/scratch_server.h"

namespace anclora::protect {

struct ScratchSettings {
  std::string program = "redis-server";  // of the source's version, or later where nobody has to load what it saves
  std::string work_directory = "/tmp";   // for the server's files, and what is spooled
  Duration timeout = std::chrono::hours(6);
  std::optional<redis::Product> sent_by{};    // the newest of the stream, where that is known
  std::optional<redis::Product> loaded_by{};  // who has to load what is saved: where a base is made of it
};

// What every restore is given; all outlive it.
struct RestoreTools {
  FileSystem& files;
  Clock& clock;
  Random& random;
  Dialer& dialer;
  std::function<bool()> cancelled{};  // asked some times a second; true ends it with kCancelled, tidied up
  bool is_cancelled() const { return cancelled && cancelled(); }
};

// One thread. The server is fed, has executed everything without an error, and is stopped when this goes.
class ScratchRestore {
 public:
  // The plan of a restore whose point may be brought up here; `modules` are paths of module files.
  static Result<std::unique_ptr<ScratchRestore>> bring_up(RestoreInput input, const RestorePlan& plan,
                                                          const ScratchSettings& settings, const RestoreTools& tools,
                                                          const OnRestoreProgress& on_progress);
  redis::ScratchServer& server() { return *server_; }
  // The database in force for the stream that follows the point.
  std::uint32_t database() const { return source_.database(); }
  std::uint64_t commands() const { return source_.commands(); }

 private:
  explicit ScratchRestore(RestoreInput input) : source_(std::move(input)) {}
  Status feed(const RestorePlan& plan, const ScratchSettings& settings, const RestoreTools& tools,
              const OnRestoreProgress& on_progress);

  ReplaySource source_;
  std::unique_ptr<redis::Feeder> feeder_;
  std::unique_ptr<redis::ScratchServer> server_;
};

// How far a feed has come, told to `on_progress`.
void tell_feed_progress(const ReplaySource& source, const RestorePlan& plan, const OnRestoreProgress& on_progress);

}  // namespace anclora::protect
