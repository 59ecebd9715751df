#include "app/daemon/scratch_base_maker.h"

#include <fmt/format.h>

#include "protect/restore/scratch_base.h"

namespace anclora::app {
namespace {

// Reads as the store does until it is cancelled: what feeds the scratch server then ends.
class CancellableStore final : public storage::ReadStore {
 public:
  CancellableStore(storage::ReadStore& inner, const std::atomic<bool>& cancelled)
      : inner_(inner), cancelled_(cancelled) {}

  Result<Bytes> get(std::string_view name, std::uint64_t limit_bytes) override {
    if (cancelled_) return cancelled_error();
    return inner_.get(name, limit_bytes);
  }
  Result<Bytes> get_range(std::string_view name, std::uint64_t offset, std::uint64_t size) override {
    if (cancelled_) return cancelled_error();
    return inner_.get_range(name, offset, size);
  }
  Result<storage::ObjectInfo> head(std::string_view name) override {
    if (cancelled_) return cancelled_error();
    return inner_.head(name);
  }
  Result<storage::Listing> list(std::string_view prefix, bool delimited) override {
    if (cancelled_) return cancelled_error();
    return inner_.list(prefix, delimited);
  }
  Result<WallTime> now() override { return inner_.now(); }
  std::string describe() const override { return inner_.describe(); }

 private:
  static Error cancelled_error() { return Error(ErrorKind::kCancelled, "the base was given up"); }

  storage::ReadStore& inner_;
  const std::atomic<bool>& cancelled_;
};

}  // namespace

Result<storage::BaseInfo> ScratchBaseMaker::make_base(const std::string& source, storage::Position at,
                                                      const std::optional<redis::Product>& server) {
  CancellableStore reading(store_, cancelled_);
  ASSIGN_OR_RETURN(const storage::SourceState state, storage::load_source_state(reading, repository_, source));
  ASSIGN_OR_RETURN(const protect::RecoveryPoint point,
                   protect::resolve({reading, repository_, state}, protect::WhenOffset{at.timeline, at.offset},
                                    tools_.clock.wall_now()));
  ASSIGN_OR_RETURN(const protect::RestorePlan plan, protect::make_restore_plan(state, point));
  protect::ScratchSettings settings = settings_;
  settings.sent_by = settings.loaded_by = server;
  ASSIGN_OR_RETURN(
      const protect::ScratchProof proof,
      protect::prove_by_scratch({&reading, &repository_, state, plan.route}, plan, &store_, settings, tools_, {}));
  if (!proof.published)
    return Error(ErrorKind::kAlreadyExists, fmt::format("a base at {} is there already", to_string(at)));
  return *proof.published;
}

}  // namespace anclora::app
