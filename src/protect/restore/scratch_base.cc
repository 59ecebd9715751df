#include "protect/restore/scratch_base.h"

#include <fmt/format.h>

#include "protect/restore/recorded_source.h"
#include "redis/file_byte_source.h"

namespace anclora::protect {
namespace {

Status require_equal_digests(redis::ScratchServer& server, ScratchProof& proof, Duration timeout) {
  ASSIGN_OR_RETURN(proof.digest, server.digest());
  ASSIGN_OR_RETURN(const std::string reloaded, server.digest_after_reload(timeout));
  if (reloaded == proof.digest) return {};
  return Error(
      ErrorKind::kDataLoss,
      fmt::format("the restored data digests to {}, and to {} after a reload from its own RDB", proof.digest, reloaded),
      "use a redis-server of the source's version: --redis-server PATH");
}

}  // namespace

Result<std::unique_ptr<BasePublisher>> BasePublisher::begin(storage::AppendStore& store,
                                                            const storage::Repository& repository,
                                                            const BasePlace& place, const std::string& work_directory,
                                                            const RestoreTools& tools) {
  ASSIGN_OR_RETURN(const std::uint32_t attempt,
                   storage::free_base_attempt(store, place.source, place.position.timeline, place.position.offset));
  const std::string folder = fmt::format("{}/anclora-base-{}", work_directory, to_hex(tools.random.bytes(8)));
  RETURN_IF_ERROR(tools.files.create_directories(folder));
  auto publisher = std::unique_ptr<BasePublisher>(new BasePublisher(store, tools.files, place, folder));
  publisher->encoder_ =
      std::make_unique<storage::BaseEncoder>(repository, tools.files, folder, place.source, place.position.timeline,
                                             place.position.offset, attempt, tools.random);
  return publisher;
}

BasePublisher::~BasePublisher() {
  // Parts that were not put stay behind only when the folder cannot be read; the error that led here is the one to
  // tell.
  if (const auto left = files_.list(folder_); left.has_value())
    for (const FileInfo& file : *left) ignore_result(files_.remove(folder_ + "/" + file.name));
  ignore_result(files_.remove_directory(folder_));
}

Status BasePublisher::publish_ready() {
  for (const storage::BaseEncoder::Part& part : encoder_->take_ready())
    RETURN_IF_ERROR(storage::publish_part(store_, files_, part));
  return {};
}

Status BasePublisher::write(ByteView rdb) {
  RETURN_IF_ERROR(encoder_->write(rdb));
  return publish_ready();
}

Result<storage::BaseInfo> BasePublisher::finish() {
  ASSIGN_OR_RETURN(storage::BaseInfo info, encoder_->finish(place_.time, place_.origin, place_.database));
  RETURN_IF_ERROR(publish_ready());
  return info;
}

Result<storage::BaseInfo> publish_rdb_file(storage::AppendStore& store, const storage::Repository& repository,
                                           const BasePlace& place, const std::string& rdb_file,
                                           const std::string& work_directory, const RestoreTools& tools) {
  ASSIGN_OR_RETURN(auto readable, tools.files.open(rdb_file));
  redis::FileByteSource source(std::move(readable));
  ASSIGN_OR_RETURN(auto publisher, BasePublisher::begin(store, repository, place, work_directory, tools));
  Bytes buffer;
  while (true) {
    buffer.clear();
    ASSIGN_OR_RETURN(const std::size_t size, source.read_some(buffer, kMiB));
    if (size == 0) break;
    RETURN_IF_ERROR(publisher->write(buffer));
  }
  return publisher->finish();
}

namespace {

// What an RDB lacks stands beside the base that the source gave: the new one has the same source.
Status carry_side_data(storage::AppendStore& store, const storage::Repository& repository, const RestorePlan& plan,
                       const storage::BaseInfo& to, Random& random) {
  const storage::BaseInfo& from = plan.route.base;
  const std::string old_name = storage::layout::side(plan.source, from.timeline, from.name);
  const auto sealed = store.get(old_name);
  if (!sealed.has_value()) {
    if (sealed.error().kind() == ErrorKind::kNotFound) return {};
    return sealed.error();
  }
  const auto side = storage::open_object(repository.key(), old_name, *sealed);
  if (!side.has_value()) return {};  // damaged: that is for verify to tell, and no reason to have no base
  const std::string name = storage::layout::side(plan.source, to.timeline, to.name);
  ASSIGN_OR_RETURN(const Bytes object, storage::seal_object(repository.key(), name, *side, random));
  ASSIGN_OR_RETURN(const storage::PutOutcome outcome, store.put_if_absent(name, object));
  static_cast<void>(outcome);
  return {};
}

// Puts what was proved into the repository and announces it.
Status publish_proof(storage::AppendStore& store, const storage::Repository& repository, const RestorePlan& plan,
                     const BasePlace& place, const std::string& rdb_file, const ScratchSettings& settings,
                     const RestoreTools& tools, ScratchProof& proof) {
  ASSIGN_OR_RETURN(proof.published,
                   publish_rdb_file(store, repository, place, rdb_file, settings.work_directory, tools));
  RETURN_IF_ERROR(carry_side_data(store, repository, plan, *proof.published, tools.random));
  storage::CheckpointDelta delta;
  delta.bases.push_back(*proof.published);
  ASSIGN_OR_RETURN(const std::uint64_t ordinal,
                   storage::write_checkpoint(store, repository, plan.source, delta, tools.clock, tools.random));
  proof.checks.push_back(
      {"published", fmt::format("base {}, announced by checkpoint {}", proof.published->name, ordinal)});
  return {};
}

}  // namespace

Result<ScratchProof> prove_by_scratch(RestoreInput input, const RestorePlan& plan, storage::AppendStore* publish_to,
                                      const ScratchSettings& settings, const RestoreTools& tools,
                                      const OnRestoreProgress& on_progress) {
  const storage::Repository& repository = *input.repository;
  const MonoTime begin = tools.clock.mono_now();
  const bool is_a_base = plan.route.stretches.empty();
  ScratchSettings suiting = settings;
  std::optional<RecordedSource> recorded;
  if (publish_to != nullptr && !is_a_base && !settings.loaded_by) {
    ASSIGN_OR_RETURN(recorded, recorded_source({*input.store, repository, input.state}));
    if (recorded->unchanged) suiting.loaded_by = recorded->server;
  }
  ScratchProof proof;
  proof.point = plan.point;
  ASSIGN_OR_RETURN(auto scratch, ScratchRestore::bring_up(std::move(input), plan, suiting, tools, on_progress));
  proof.took = std::chrono::duration_cast<Duration>(tools.clock.mono_now() - begin);
  proof.commands = scratch->commands();
  ASSIGN_OR_RETURN(proof.keyspaces, scratch->server().keyspaces());
  proof.checks = {{"offset", "stands at " + storage::to_string(plan.point.position) + " exactly"},
                  {"replication errors", "none"}};
  if (on_progress) on_progress({"saving", 0, 0});
  ASSIGN_OR_RETURN(const std::string rdb_file, scratch->server().save_rdb(settings.timeout));
  RETURN_IF_ERROR(require_equal_digests(scratch->server(), proof, settings.timeout));
  proof.checks.push_back({"digest", proof.digest + ", equal after a reload from its own RDB"});
  if (publish_to == nullptr) return proof;
  if (is_a_base) {
    proof.checks.push_back({"published", "nothing: base " + plan.route.base.name + " is this point already"});
    return proof;
  }
  if (on_progress) on_progress({"publishing", 0, 0});
  const BasePlace place{plan.source, plan.point.position, plan.point.time, scratch->database(), "scratch"};
  RETURN_IF_ERROR(publish_proof(*publish_to, repository, plan, place, rdb_file, settings, tools, proof));
  if (recorded) proof.doubt = doubt_of(*recorded, *proof.published);
  return proof;
}

}  // namespace anclora::protect
