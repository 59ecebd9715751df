#include "protect/restore/scratch_restore.h"

#include <algorithm>

#include "base/socket.h"

namespace anclora::protect {
namespace {

constexpr Duration kPoll = std::chrono::milliseconds(50);

// That of the base, or of a source that was upgraded since: its stream may hold commands that earlier ones do not know.
// Patches bring none.
std::optional<redis::Version> least_version(const storage::BaseInfo& base,
                                            const std::optional<redis::Product>& source) {
  const auto of_base = redis::Version::parse(base.redis_version);
  if (!source) return of_base;
  return std::max(of_base.value_or(redis::Version{}), redis::Version{source->version.major, source->version.minor, 0});
}

}  // namespace

void tell_feed_progress(const ReplaySource& source, const RestorePlan& plan, const OnRestoreProgress& on_progress) {
  if (!on_progress) return;
  const storage::BaseInfo& base = plan.route.base;
  if (source.base_bytes_read() < base.rdb_bytes && source.stream_bytes_read() == 0) {
    on_progress({"base", source.base_bytes_read(), base.rdb_bytes});
  } else {
    on_progress({"stream", source.stream_bytes_read(), plan.route.stream_bytes()});
  }
}

Result<std::unique_ptr<ScratchRestore>> ScratchRestore::bring_up(RestoreInput input, const RestorePlan& plan,
                                                                 const ScratchSettings& settings,
                                                                 const RestoreTools& tools,
                                                                 const OnRestoreProgress& on_progress) {
  redis::ScratchServerOptions options;
  options.program = settings.program;
  options.at_least = least_version(plan.route.base, settings.sent_by);
  options.loads = redis::rdb_magic_of(plan.route.base.rdb_version);
  options.saves_for = settings.loaded_by;
  options.work_directory = settings.work_directory;
  options.databases = 1024;  // empty ones cost nothing; a server that meets a database it lacks exits
  options.memory_needed_bytes = plan.memory_bytes;
  auto restore = std::unique_ptr<ScratchRestore>(new ScratchRestore(std::move(input)));
  ASSIGN_OR_RETURN(restore->server_,
                   redis::ScratchServer::start(options, tools.files, tools.dialer, tools.clock, tools.random));
  RETURN_IF_ERROR(restore->feed(plan, settings, tools, on_progress));
  RETURN_IF_ERROR(restore->server_->check_no_replication_errors());
  return restore;
}

Status ScratchRestore::feed(const RestorePlan& plan, const ScratchSettings& settings, const RestoreTools& tools,
                            const OnRestoreProgress& on_progress) {
  redis::FeederOptions options;
  options.password = Secret(to_hex(tools.random.bytes(16)));
  options.allowed_peers = {"127.0.0.1"};
  ASSIGN_OR_RETURN(auto listener, listen_on(Endpoint{"127.0.0.1", 0}));
  feeder_ = redis::Feeder::start(source_, std::move(listener), tools.clock, tools.random, options);
  RETURN_IF_ERROR(server_->follow(feeder_->local(), options.password));
  const MonoTime deadline = tools.clock.mono_now() + settings.timeout;
  while (true) {
    const redis::FeederProgress progress = feeder_->progress();
    if (progress.end) return server_->wait_until_at(*progress.end, settings.timeout);
    if (auto failure = feeder_->failure()) return *failure;
    if (tools.is_cancelled()) return Error(ErrorKind::kCancelled, "stopped before the scratch server held the point");
    if (server_->client().broken() || tools.clock.mono_now() > deadline)
      return server_->wait_until_at(progress.sent, kPoll);  // says what is wrong with it
    tell_feed_progress(source_, plan, on_progress);
    tools.clock.sleep_for(kPoll);
  }
}

}  // namespace anclora::protect
