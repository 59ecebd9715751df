#include "plan/model/plan_builder.h"

#include <algorithm>

#include "plan/model/value_access.h"

namespace anclora::plan {
namespace {

// The entries of a map but for those that have a field of their own.
Value rest_of(const Value& map, std::initializer_list<std::string_view> taken) {
  Value rest;
  rest.kind = ValueKind::kMap;
  rest.place = map.place;
  for (const Entry& entry : map.entries)
    if (std::ranges::find(taken, entry.key) == taken.end()) rest.entries.push_back(entry);
  return rest;
}

Value with_of(const Value& map) {
  const Value* with = map.find("with");
  if (with != nullptr && with->kind == ValueKind::kMap) return *with;
  Value empty;
  empty.kind = ValueKind::kMap;
  empty.place = place_of(map, "uses");
  return empty;
}

Target build_target(const Value& map) {
  return {.id = text_of(map, "id"),
          .kind = text_of(map, "kind"),
          .site = text_of(map, "site"),
          .standby_of = text_of(map, "standby_of"),
          .settings = rest_of(map, {"id", "kind", "site", "standby_of"}),
          .place = map.place};
}

std::vector<Target> build_targets(const Value& map) {
  std::vector<Target> targets;
  for (const Value* item : maps_of(map, "targets")) targets.push_back(build_target(*item));
  return targets;
}

std::vector<Condition> build_conditions(const Value& map, std::string_view key) {
  std::vector<Condition> conditions;
  for (const Value* item : maps_of(map, key)) {
    const std::string is = text_of(*item, "is", key == "restored" ? "up" : "down");
    conditions.push_back({.probe = text_of(*item, "probe"),
                          .is = is == "up"        ? ProbeState::kUp
                                : is == "unknown" ? ProbeState::kUnknown
                                                  : ProbeState::kDown,
                          .at_least = integer_of(*item, "at_least", 1),
                          .place = item->place});
  }
  return conditions;
}

std::optional<Approval> build_approval(const Value& map, std::string_view key) {
  const Value* approval = map.find(key);
  if (approval == nullptr || approval->kind != ValueKind::kMap) return std::nullopt;
  const std::string on_timeout = text_of(*approval, "on_timeout");
  return Approval{.roles = texts_of(*approval, "roles"),
                  .need = integer_of(*approval, "need", 1),
                  .timeout = duration_of(*approval, "timeout"),
                  .on_timeout = on_timeout == "proceed" ? OnTimeout::kProceed
                                : on_timeout == "abort" ? OnTimeout::kAbort
                                                        : OnTimeout::kEscalate,
                  .place = approval->place};
}

std::vector<Step> build_steps(const Value& map, std::string_view key) {
  std::vector<Step> steps;
  for (const Value* item : maps_of(map, key))
    steps.push_back({.id = text_of(*item, "id"),
                     .uses = text_of(*item, "uses"),
                     .with = with_of(*item),
                     .needs = texts_of(*item, "needs"),
                     .budget = duration_of(*item, "budget"),
                     .timeout = duration_of(*item, "timeout"),
                     .retry = integer_of(*item, "retry", 0),
                     .approve = build_approval(*item, "approve"),
                     .undo = boolean_of(*item, "undo", true),
                     .place = item->place});
  return steps;
}

void build_objectives(const Value& root, Plan& plan) {
  const Value* objectives = root.find("objectives");
  if (objectives == nullptr) return;
  for (const Value* item : maps_of(*objectives, "severity"))
    plan.severities.push_back(
        {text_of(*item, "id"), duration_of(*item, "rto"), duration_of(*item, "rto_max"), item->place});
  for (const Value* item : maps_of(*objectives, "data"))
    plan.data.push_back({text_of(*item, "id"), duration_of(*item, "rpo"), text_of(*item, "proof", "backup"),
                         texts_of(*item, "targets"), item->place});
}

void build_places(const Value& root, Plan& plan) {
  for (const Value* item : maps_of(root, "sites"))
    plan.sites.push_back(
        {text_of(*item, "id"), text_of(*item, "region"), boolean_of(*item, "primary", false), item->place});
  plan.targets = build_targets(root);
  for (const Value* item : maps_of(root, "environments"))
    plan.environments.push_back({.id = text_of(*item, "id"),
                                 .sandbox = boolean_of(*item, "sandbox", false),
                                 .everything = boolean_of(*item, "everything", false),
                                 .targets = build_targets(*item),
                                 .place = item->place});
  for (const Value* item : maps_of(root, "backups")) {
    const Value* keep = item->find("keep");
    plan.backups.push_back({.id = text_of(*item, "id"),
                            .target = text_of(*item, "target"),
                            .repository = text_of(*item, "repository"),
                            .data = text_of(*item, "data"),
                            .continuous = boolean_of(*item, "continuous", false),
                            .every = duration_of(*item, "every"),
                            .lag = duration_of(*item, "lag"),
                            .keep = keep == nullptr ? std::vector<Entry>() : keep->entries,
                            .place = item->place});
  }
}

void build_watch(const Value& root, Plan& plan) {
  for (const Value* item : maps_of(root, "probes"))
    plan.probes.push_back({.id = text_of(*item, "id"),
                           .uses = text_of(*item, "uses"),
                           .with = with_of(*item),
                           .from = texts_of(*item, "from"),
                           .control = boolean_of(*item, "control", false),
                           .every = duration_of(*item, "every"),
                           .timeout = duration_of(*item, "timeout"),
                           .bad_in_a_row = integer_of(*item, "bad_in_a_row", 3),
                           .good_in_a_row = integer_of(*item, "good_in_a_row", 3),
                           .place = item->place});
  for (const Value* item : maps_of(root, "detection"))
    plan.detections.push_back({.id = text_of(*item, "id"),
                               .all = build_conditions(*item, "all"),
                               .any = build_conditions(*item, "any"),
                               .for_time = duration_of(*item, "for"),
                               .scenario = text_of(*item, "scenario"),
                               .start = boolean_of(*item, "start", false),
                               .quiet_after = duration_of(*item, "quiet_after"),
                               .place = item->place});
}

void build_scenarios(const Value& root, Plan& plan) {
  for (const Value* item : maps_of(root, "scenarios"))
    plan.scenarios.push_back({.id = text_of(*item, "id"),
                              .title = text_of(*item, "title"),
                              .severity = text_of(*item, "severity"),
                              .impact = text_of(*item, "impact"),
                              .declare = build_approval(*item, "declare"),
                              .steps = build_steps(*item, "steps"),
                              .inject = build_steps(*item, "inject"),
                              .prepare = build_steps(*item, "prepare"),
                              .cleanup = build_steps(*item, "cleanup"),
                              .restored = build_conditions(*item, "restored"),
                              .after = build_steps(*item, "after"),
                              .undo_window = duration_of(*item, "undo_window"),
                              .place = item->place});
  for (const Value* item : maps_of(root, "drills"))
    plan.drills.push_back({.id = text_of(*item, "id"),
                           .scenario = text_of(*item, "scenario"),
                           .environment = text_of(*item, "environment"),
                           .every = duration_of(*item, "every"),
                           .last_passed = std::nullopt,
                           .place = item->place});
}

void build_people(const Value& root, Plan& plan) {
  for (const Value* item : maps_of(root, "contacts")) {
    Contact contact{text_of(*item, "id"), text_of(*item, "name"), texts_of(*item, "roles"), {}, item->place};
    for (const Value* channel : maps_of(*item, "channels"))
      contact.channels.push_back({text_of(*channel, "kind"), rest_of(*channel, {"kind", "depends_on"}),
                                  text_of(*channel, "depends_on"), channel->place});
    plan.contacts.push_back(std::move(contact));
  }
  for (const Value* item : maps_of(root, "escalation")) {
    const std::string when = text_of(*item, "when");
    plan.escalation.push_back({.id = text_of(*item, "id"),
                               .severity = text_of(*item, "severity"),
                               .contacts = texts_of(*item, "contacts"),
                               .when = when == "forecast_over_rto"      ? EscalateWhen::kForecastOverRto
                                       : when == "elapsed_over_rto"     ? EscalateWhen::kElapsedOverRto
                                       : when == "elapsed_over_rto_max" ? EscalateWhen::kElapsedOverRtoMax
                                                                        : EscalateWhen::kAfter,
                               .after = duration_of(*item, "after"),
                               .acknowledge_within = duration_of(*item, "acknowledge_within"),
                               .place = item->place});
  }
}

}  // namespace

Plan build_plan(const Value& root) {
  Plan plan;
  plan.service = text_of(root, "service");
  build_objectives(root, plan);
  build_places(root, plan);
  build_watch(root, plan);
  build_scenarios(root, plan);
  build_people(root, plan);
  return plan;
}

}  // namespace anclora::plan
