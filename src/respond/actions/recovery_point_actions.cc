#include "respond/actions/recovery_point_actions.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "plan/model/value_access.h"
#include "protect/restore/restore_plan.h"
#include "protect/restore/when.h"
#include "storage/repository/pin.h"
#include "storage/repository/retire.h"

namespace anclora::respond {
namespace {

constexpr Duration kPoll = std::chrono::milliseconds(500);

// Also a folder that is not there: an unmounted one, as far as anybody can tell.
bool may_be_away(const Error& error) {
  return error.kind() == ErrorKind::kUnavailable || error.kind() == ErrorKind::kDeadlineExceeded ||
         error.kind() == ErrorKind::kNotFound;
}

class SelectAction final : public Action {
 public:
  explicit SelectAction(OpenRepository open) : open_(std::move(open)) {}

  // Looking again is all that it does: a resumed run chooses anew.
  Result<Observation> probe(StepContext& context) override {
    ASSIGN_OR_RETURN(const Outcome outcome, choose(context));
    Observation seen;
    seen.done = Done::kNo;
    seen.current = outcome.summary;
    seen.desired = plan::text_of(context.step().with, "at", "latest");
    seen.call = "read the repository's checkpoints and log";
    return seen;
  }
  // A repository that is away may be back before the step's time is over. A failure would pause the run, and with it
  // the promotion beside this step, which needs no repository.
  Result<Outcome> execute(StepContext& context) override {
    while (true) {
      const auto chosen = choose_source(context, open_);
      if (chosen) return choose_in(context, *chosen);
      const bool late = context.clock().mono_now() + 2 * kPoll >= context.deadline();
      if (!may_be_away(chosen.error()) || late || context.cancelled()) return chosen.error();
      context.clock().sleep_for(kPoll);
    }
  }
  Status verify(StepContext&) override { return {}; }  // execute has made the route to it
  Result<Outcome> undo(StepContext&) override { return Outcome{"nothing was changed", {}}; }

 private:
  Result<Outcome> choose(StepContext& context) {
    ASSIGN_OR_RETURN(const ChosenSource chosen, choose_source(context, open_));
    return choose_in(context, chosen);
  }
  static Result<Outcome> choose_in(StepContext& context, const ChosenSource& chosen) {
    const plan::Value& with = context.step().with;
    if (plan::boolean_of(with, "verified", false))
      return Error(ErrorKind::kUnsupported, "this version cannot choose by the last verification",
                   "leave out \"verified\", and verify after the restore (redis.verify)");
    ASSIGN_OR_RETURN(const protect::When when, protect::parse_when(plan::text_of(with, "at", "latest")));
    const WallTime now = context.clock().wall_now();
    ASSIGN_OR_RETURN(const protect::RecoveryPoint point, protect::resolve(chosen.view(), when, now));
    ASSIGN_OR_RETURN(const protect::RestorePlan plan, protect::make_restore_plan(chosen.state, point));
    const Duration limit = plan::duration_of(with, "max_age");
    // After an outage began nothing is protected: waiting for a person does not make the point worse.
    const WallTime needed = std::min(now, context.outage_began().value_or(now));
    if (limit > Duration::zero() && needed - point.time > limit)
      return Error(ErrorKind::kFailedPrecondition,
                   fmt::format("the point {} is from {}, older than {}", to_string(point.position),
                               format_rfc3339(point.time), format_duration(limit)),
                   "accept it by a larger max_age, or look at anclora status for why nothing newer is protected");
    const double behind = static_cast<double>(plan.distance.behind.count()) / 1e6;
    return Outcome{fmt::format("{} of {}: {}", to_string(point.position), chosen.source, format_rfc3339(point.time)),
                   {{"source", chosen.source},
                    {"position", to_string(point.position)},
                    {"time", format_rfc3339(point.time)},
                    {"rpo_seconds", fmt::format("{:.3f}", behind)},
                    {"replication_id", replication_id(chosen.state, point.position.timeline)},
                    {"base", plan.route.base.name}}};
  }
  // Tells whether an offset of a server and the point are of one stream.
  static std::string replication_id(const storage::SourceState& state, storage::TimelineId id) {
    for (const storage::TimelineState& timeline : state.timelines)
      if (timeline.id == id) return timeline.replication_id;
    return {};
  }

  OpenRepository open_;
};

class PinAction final : public Action {
 public:
  PinAction(OpenRepository open, Random& random) : open_(std::move(open)), random_(random) {}

  Result<Observation> probe(StepContext& context) override {
    ASSIGN_OR_RETURN(const ChosenSource chosen, choose_source(context, open_));
    Observation seen;
    seen.desired = "the tag " + name(context);
    seen.call = "create the tag " + name(context);
    const auto pin = storage::read_pin(*chosen.opened.store, chosen.opened.repository, chosen.source, name(context));
    if (!pin.has_value() && pin.error().kind() != ErrorKind::kNotFound) return pin.error();
    seen.done = pin.has_value() ? Done::kYes : Done::kNo;
    seen.current = pin.has_value() ? "is there, at " + to_string(pin->position) : "is not there";
    if (pin.has_value()) seen.outputs = {{"tag", pin->name}, {"position", to_string(pin->position)}};
    return seen;
  }

  Result<Outcome> execute(StepContext& context) override {
    ASSIGN_OR_RETURN(const ChosenSource chosen, choose_source(context, open_));
    ASSIGN_OR_RETURN(const storage::Position position,
                     point_chosen_by(context, plan::text_of(context.step().with, "point")));
    const WallTime now = context.clock().wall_now();
    ASSIGN_OR_RETURN(const protect::RecoveryPoint point,
                     protect::resolve(chosen.view(), protect::WhenOffset{position.timeline, position.offset}, now));
    RETURN_IF_ERROR(context.before_change("create the tag " + name(context)));
    const storage::Pin pin{name(context), point.position, point.time, now, std::nullopt, "run " + context.run_id()};
    RETURN_IF_ERROR(
        storage::pin_recovery_point(*chosen.opened.store, chosen.opened.repository, chosen.source, pin, random_));
    return Outcome{fmt::format("{} is kept for ever as {}", to_string(position), pin.name),
                   {{"tag", pin.name}, {"position", to_string(position)}}};
  }

  Status verify(StepContext& context) override {
    ASSIGN_OR_RETURN(const Observation seen, probe(context));
    if (seen.done == Done::kYes) return {};
    return Error(ErrorKind::kFailedPrecondition, "the tag " + name(context) + " is not there");
  }
  Result<Outcome> undo(StepContext&) override {
    return Error(ErrorKind::kUnsupported, "a tag is kept", "it does no harm");
  }

 private:
  // A tag's name is short and plain: what the run's id has beside that becomes '-'.
  static std::string name(StepContext& context) {
    constexpr std::size_t kLongest = 63;
    std::string tag = plan::text_of(context.step().with, "name") + "-" + context.run_id();
    for (char& c : tag) {
      const bool plain =
          (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_';
      if (!plain) c = '-';
    }
    return tag.substr(tag.size() > kLongest ? tag.size() - kLongest : 0);
  }

  OpenRepository open_;
  Random& random_;
};

}  // namespace

Result<storage::Position> point_chosen_by(StepContext& context, std::string_view step) {
  ASSIGN_OR_RETURN(const Outputs outputs, context.outputs_of(step));
  const auto position = outputs.find("position");
  if (position == outputs.end())
    return Error(ErrorKind::kFailedPrecondition, fmt::format("the step {} left no recovery point", step),
                 "name a recovery_point step that has been done");
  return storage::parse_position(position->second);
}

std::unique_ptr<Action> make_recovery_point_select(OpenRepository open) {
  return std::make_unique<SelectAction>(std::move(open));
}
std::unique_ptr<Action> make_recovery_point_pin(OpenRepository open, Random& random) {
  return std::make_unique<PinAction>(std::move(open), random);
}

}  // namespace anclora::respond
