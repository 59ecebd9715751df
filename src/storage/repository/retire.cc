#include "storage/repository/retire.h"

#include <fmt/format.h>

namespace anclora::storage {
namespace {

Status check_is_kept(ReadStore& store, const Repository& repository, std::string_view source, const Pin& pin) {
  // A damaged newest entry takes nothing from an older point.
  ASSIGN_OR_RETURN(const SourceState state, load_source_state(store, repository, source, DamagedTail::kStepBack));
  if (is_kept(without_retiring(state), pin.position)) return {};
  return Error(ErrorKind::kFailedPrecondition,
               fmt::format("{} is not kept: expire is letting it go", to_string(pin.position)),
               "anclora status shows what is kept");
}

}  // namespace

Result<MarkedRetention> mark_retention(AppendStore& store, const Repository& repository, std::string_view source,
                                       const RetentionPolicy& policy, Clock& clock, Random& random) {
  MarkedRetention marked;
  ASSIGN_OR_RETURN(const SourceState state, load_source_state(store, repository, source));
  ASSIGN_OR_RETURN(const std::vector<Pin> pins, list_pins(store, repository, source));
  ASSIGN_OR_RETURN(marked.now, store.now());
  marked.plan = plan_retention(state, pins, policy, marked.now);
  if (!marked.plan.retires_anything()) return marked;
  marked.mark = to_hex(random.bytes(16));
  CheckpointDelta delta;
  delta.retiring = marked.plan.retirement(marked.mark);
  RETURN_IF_ERROR(write_checkpoint(store, repository, source, delta, clock, random));
  return marked;
}

Result<RetentionPlan> retire_marked(AppendStore& store, const Repository& repository, std::string_view source,
                                    const RetentionPolicy& policy, const MarkedRetention& marked, Clock& clock,
                                    Random& random) {
  if (marked.mark.empty()) return marked.plan;
  ASSIGN_OR_RETURN(const SourceState state, load_source_state(store, repository, source));
  ASSIGN_OR_RETURN(const std::vector<Pin> pins, list_pins(store, repository, source));
  RetentionPlan plan = plan_retention(state, pins, policy, marked.now);
  plan.limit_to(marked.plan.retirement(marked.mark));
  CheckpointDelta delta = plan.delta();
  delta.retires_mark = marked.mark;
  delta.retiring = Retirement();
  RETURN_IF_ERROR(write_checkpoint(store, repository, source, delta, clock, random));
  return plan;
}

Status pin_recovery_point(Store& store, const Repository& repository, std::string_view source, const Pin& pin,
                          Random& random) {
  RETURN_IF_ERROR(check_is_kept(store, repository, source, pin));
  RETURN_IF_ERROR(write_pin(store, repository, source, pin, random));
  const Status kept = check_is_kept(store, repository, source, pin);
  if (kept || kept.error().kind() != ErrorKind::kFailedPrecondition) return kept;
  const std::string refused = fmt::format("tag {}: {}", pin.name, kept.error().message());
  if (const Status removed = store.remove(layout::pin(source, pin.name)); !removed)
    return Error(kept.error().kind(), refused,
                 fmt::format("tag a newer point under another name: this name is taken now, and keeps nothing ({})",
                             removed.error().message()));
  return Error(kept.error().kind(), refused, "tag a newer point; anclora status shows what is kept");
}

}  // namespace anclora::storage
