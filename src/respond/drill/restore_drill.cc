#include "respond/drill/restore_drill.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "protect/restore/live_target.h"
#include "redis/scratch/scratch_server.h"
#include "respond/detect/beacon.h"

namespace anclora::respond {
namespace {

// What the live source said just before the point was chosen.
struct SourceMoment {
  WallTime asked;
  std::string replication_id;
  std::optional<redis::Offset> offset;
  std::optional<Beacon> beacon;
};

Result<std::optional<Beacon>> read_beacon(redis::Client& client, const std::string& key) {
  if (key.empty()) return std::optional<Beacon>();
  ASSIGN_OR_RETURN(const redis::Reply reply, client.command({"GET", key}));
  if (reply.is_null()) return std::optional<Beacon>();
  ASSIGN_OR_RETURN(const Beacon beacon, Beacon::parse(reply.text));
  return std::optional<Beacon>(beacon);
}

class RestoreDrill {
 public:
  RestoreDrill(const protect::SourceView& source, const RestoreDrillOptions& options,
               const protect::RestoreTools& tools, const protect::OnRestoreProgress& on_progress, DrillRecord& record)
      : source_(source), options_(options), tools_(tools), on_progress_(on_progress), record_(record) {}

  Status run() {
    const MonoTime begin = options_.started.value_or(tools_.clock.mono_now());
    begun_at_ = tools_.clock.wall_now();
    ask_source();
    if (!step("point", "recovery_point.select", [this] { return choose(); })) return ended();
    if (!step("server", "scratch", [this] { return start_server(); })) return ended();
    if (!step("data", "redis.restore", [this] { return restore(); })) return ended();
    record_.achieved.rto = std::chrono::duration_cast<Duration>(tools_.clock.mono_now() - begin);
    record_.achieved.act = record_.achieved.rto;
    measure_rpo();
    if (options_.digest) step("digest", "redis.verify", [this] { return compare_digests(); });
    return ended();
  }

 private:
  // One measured step of the record; false when it failed, with its reason in the record.
  template <class Work>
  bool step(const char* id, const char* uses, Work work) {
    const MonoTime begin = tools_.clock.mono_now();
    Result<std::string> said = work();
    const auto took = std::chrono::duration_cast<Duration>(tools_.clock.mono_now() - begin);
    record_.steps.push_back(
        {"recovery", id, uses, said ? "done" : "failed", took, said ? *said : said.error().message()});
    if (said) return true;
    cancelled_ = cancelled_ || said.error().kind() == ErrorKind::kCancelled;
    const std::string& hint = said.error().hint();
    record_.reasons.push_back(said.error().message() + (hint.empty() ? "" : " (" + hint + ")"));
    return false;
  }

  Status ended() const {
    return cancelled_ ? Status(Error(ErrorKind::kCancelled, "stopped before the drill was over", "run it again"))
                      : Status();
  }

  // What the source cannot tell is measured against the clock instead; that it could not is told.
  void ask_source() {
    if (!options_.source) return;
    SourceMoment moment{tools_.clock.wall_now(), {}, {}, {}};
    const auto asked = [&]() -> Status {
      ASSIGN_OR_RETURN(auto client, redis::Client::connect(*options_.source, tools_.dialer, tools_.clock));
      ASSIGN_OR_RETURN(const redis::Info info, client->info("replication"));
      moment.replication_id = info.replid();
      moment.offset = info.offset();
      ASSIGN_OR_RETURN(moment.beacon, read_beacon(*client, options_.beacon_key));
      return {};
    }();
    if (asked)
      moment_ = std::move(moment);
    else
      record_.facts["source_problem"] = asked.error().message();
  }

  Result<std::string> choose() {
    ASSIGN_OR_RETURN(const protect::RecoveryPoint point, protect::resolve(source_, options_.when, begun_at_));
    ASSIGN_OR_RETURN(plan_.emplace(), protect::make_restore_plan(source_.state, point));
    record_.facts["position"] = storage::to_string(point.position);
    record_.facts["point_time"] = format_rfc3339(point.time);
    record_.facts["newest_position"] = storage::to_string(plan_->distance.newest);
    return record_.facts["position"] + " of " + record_.facts["point_time"];
  }

  Result<std::string> start_server() {
    redis::ScratchServerOptions server;
    server.program = options_.redis_server;
    server.at_least = redis::Version::parse(plan_->route.base.redis_version);
    server.work_directory = options_.work_directory;
    server.databases = 1024;  // empty ones cost nothing
    server.memory_needed_bytes = plan_->memory_bytes;
    ASSIGN_OR_RETURN(server_,
                     redis::ScratchServer::start(server, tools_.files, tools_.dialer, tools_.clock, tools_.random));
    record_.facts["server_version"] = server_->version().to_string();
    return "redis-server " + server_->version().to_string();
  }

  Result<std::string> restore() {
    protect::LiveTargetOptions target;
    target.target = server_->url();
    target.work_directory = options_.work_directory;
    ASSIGN_OR_RETURN(
        const protect::RestoreOutcome outcome,
        protect::restore_to_live({&source_.store, &source_.repository, source_.state, plan_->route}, *plan_,
                                 protect::needs_of(*plan_, ""), target, tools_.dialer, tools_, on_progress_));
    for (const auto& check : outcome.checks) record_.checks.push_back({check.name, check.result, true});
    record_.facts["keys"] = std::to_string(outcome.keys);
    record_.facts["base_bytes"] = std::to_string(outcome.base_bytes);
    record_.facts["commands"] = std::to_string(outcome.commands);
    if (outcome.commands_lost) record_.facts["commands_after_point"] = std::to_string(*outcome.commands_lost);
    return fmt::format("{} keys, {} commands replayed", outcome.keys, outcome.commands);
  }

  void measure_rpo() {
    DrillAchieved& achieved = record_.achieved;
    std::optional<Beacon> restored;
    if (!options_.beacon_key.empty()) {
      auto found = read_beacon(server_->client(), options_.beacon_key);
      if (found)
        restored = *found;
      else
        record_.facts["beacon_problem"] = found.error().message();
    }
    const auto not_negative = [](auto difference) {
      return std::max(Duration::zero(), std::chrono::duration_cast<Duration>(difference));
    };
    if (restored && moment_ && moment_->beacon) {
      achieved.rpo = not_negative(moment_->beacon->at - restored->at);
      if (moment_->beacon->beat >= restored->beat) achieved.rpo_writes = moment_->beacon->beat - restored->beat;
      achieved.rpo_basis = "beacon";
      return;
    }
    const storage::Position position = plan_->point.position;
    if (moment_ && moment_->offset && is_source_of(position)) {
      const bool nothing_missing = *moment_->offset <= position.offset;
      achieved.rpo = nothing_missing ? Duration::zero() : not_negative(moment_->asked - plan_->point.time);
      achieved.rpo_basis = "source";
      if (nothing_missing) achieved.rpo_writes = 0;
      record_.facts["source_bytes_ahead"] =
          std::to_string(nothing_missing ? 0 : moment_->offset->value - position.offset.value);
      return;
    }
    achieved.rpo = not_negative(begun_at_ - (restored ? restored->at : plan_->point.time));
    achieved.rpo_basis = restored ? "beacon" : "clock";
  }

  // The live source still writes the very history that the point lies in.
  bool is_source_of(const storage::Position& position) const {
    for (const storage::TimelineState& timeline : source_.state.timelines)
      if (timeline.id == position.timeline) return timeline.replication_id == moment_->replication_id;
    return false;
  }

  Result<std::string> compare_digests() {
    // A replica lets no key expire, one without a primary least of all: else what expires between the two digests, such
    // as a queue's locks of some seconds, would be told as damage.
    ASSIGN_OR_RETURN(const redis::Reply parted, server_->client().command({"REPLICAOF", "127.0.0.1", "1"}));
    static_cast<void>(parted);
    ASSIGN_OR_RETURN(const std::string digest, server_->digest());
    ASSIGN_OR_RETURN(const std::string file, server_->save_rdb());
    ASSIGN_OR_RETURN(const std::string reloaded, server_->digest_after_reload());
    record_.facts["digest"] = digest;
    const bool equal = digest == reloaded;
    record_.checks.push_back({"digest",
                              equal ? digest + ", equal after a reload from its own RDB"
                                    : fmt::format("{}, and {} after a reload from its own RDB", digest, reloaded),
                              equal});
    if (equal) return digest;
    return Error(ErrorKind::kDataLoss, "the restored data digests differently after a reload from its own RDB",
                 "use a redis-server of the source's version: --redis-server PATH");
  }

  const protect::SourceView& source_;
  const RestoreDrillOptions& options_;
  const protect::RestoreTools& tools_;
  const protect::OnRestoreProgress& on_progress_;
  DrillRecord& record_;
  WallTime begun_at_;
  std::optional<SourceMoment> moment_;
  std::optional<protect::RestorePlan> plan_;
  std::unique_ptr<redis::ScratchServer> server_;
  bool cancelled_ = false;
};

}  // namespace

Status run_restore_drill(const protect::SourceView& source, const RestoreDrillOptions& options,
                         const protect::RestoreTools& tools, const protect::OnRestoreProgress& on_progress,
                         DrillRecord& record) {
  return RestoreDrill(source, options, tools, on_progress, record).run();
}

}  // namespace anclora::respond
