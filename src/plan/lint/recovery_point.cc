// What may be lost: every kind of data has a backup, fast enough, elsewhere, kept for a while.
#include <fmt/format.h>

#include <algorithm>

#include "plan/lint/lint.h"
#include "plan/lint/plan_lookup.h"
#include "plan/schema/span.h"

namespace anclora::plan {
namespace {

Duration worst_loss(const Backup& backup) { return (backup.continuous ? Duration::zero() : backup.every) + backup.lag; }

void check_data(const Plan& plan, const DataObjective& data, Findings& findings) {
  const Backup* best = nullptr;
  for (const Backup& backup : plan.backups)
    if (backup.data == data.id && (best == nullptr || worst_loss(backup) < worst_loss(*best))) best = &backup;
  if (best == nullptr) {
    add_error(findings, "objective.no_backup", data.place, fmt::format("nothing backs up \"{}\"", data.id),
              "add a backup with data: " + data.id + ", or drop the objective");
    return;
  }
  if (data.rpo > Duration::zero() && worst_loss(*best) > data.rpo)
    add_error(findings, "objective.rpo", best->place,
              fmt::format("up to {} of {} may be lost ({} + lag {}); the RPO is {}", format_span(worst_loss(*best)),
                          data.id, best->continuous ? "continuous" : "every " + format_span(best->every),
                          format_span(best->lag), format_span(data.rpo)),
              "back up more often or continuously, or promise less");
  for (const std::string& target : data.targets) {
    const auto serves = [&](const Backup& backup) { return backup.data == data.id && backup.target == target; };
    if (std::ranges::none_of(plan.backups, serves))
      add_error(findings, "objective.no_backup", data.place,
                fmt::format("\"{}\" holds {} and is not backed up", target, data.id),
                "add a backup with target: " + target);
  }
}

void check_proof(const Plan& plan, const DataObjective& data, Findings& findings) {
  if (data.targets.empty())
    add_warning(findings, "objective.no_targets", data.place, fmt::format("it is not said what holds \"{}\"", data.id),
                "add targets: [...]: without them nothing shows that all of it is backed up");
  if (data.proof != "beacon" || data.targets.empty()) return;
  const auto has_beacon = [&](const std::string& id) {
    const Target* target = find_target(plan, id);
    return target == nullptr || target->settings.find("beacon") != nullptr;
  };
  if (std::ranges::none_of(data.targets, has_beacon))
    add_error(findings, "objective.no_beacon", data.place,
              fmt::format("the loss of \"{}\" is measured by a beacon, and none of its targets has one", data.id),
              "add beacon: {key: \"anclora:dr:beacon\", every: 1s} to the Redis, or proof: backup");
}

// A copy that goes before the next one comes leaves nothing in between.
void check_kept(const Backup& backup, Findings& findings) {
  Duration longest{};
  for (const Entry& step : backup.keep)
    longest = std::max(longest, parse_span(step.value.text).value_or(Duration::zero()));
  if (!backup.keep.empty() && longest > Duration::zero() && longest < backup.every)
    add_error(findings, "backup.kept_too_short", backup.place,
              fmt::format("\"{}\" is kept for {} and made every {}: for a while there is none", backup.id,
                          format_span(longest), format_span(backup.every)),
              "keep it longer than every");
}

void check_backup(const Plan& plan, const Backup& backup, Findings& findings) {
  if (!backup.continuous && backup.every == Duration::zero())
    add_error(findings, "backup.no_interval", backup.place, fmt::format("backup \"{}\" runs never", backup.id),
              "write continuous: true, or every: 1h");
  if (backup.continuous && backup.every > Duration::zero())
    add_error(findings, "backup.two_intervals", backup.place,
              fmt::format("backup \"{}\" is continuous and has every", backup.id), "keep one of them");
  if (backup.keep.empty())
    add_warning(findings, "backup.no_retention", backup.place,
                fmt::format("it is not said how long \"{}\" is kept", backup.id),
                "add keep: {every_moment: 7d, daily: 7d, weekly: 28d}");
  check_kept(backup, findings);
  if (backup.repository.empty()) {
    add_warning(findings, "backup.no_repository", backup.place,
                fmt::format("it is not said where the copies of \"{}\" are", backup.id),
                "add repository: a target of kind repository");
    return;
  }
  const Target* target = find_target(plan, backup.target);
  const Target* repository = find_target(plan, backup.repository);
  if (target == nullptr || repository == nullptr || target->site.empty() || target->site != repository->site) return;
  const auto elsewhere = [&](const Backup& other) {
    const Target* copy = find_target(plan, other.repository);
    return other.target == backup.target && copy != nullptr && !copy->site.empty() && copy->site != target->site;
  };
  if (std::ranges::none_of(plan.backups, elsewhere))
    add_warning(findings, "backup.same_site", backup.place,
                fmt::format("the only copies of \"{}\" are at its own site \"{}\"", backup.target, target->site),
                "mirror the repository to another site, and write that as a backup too");
}

}  // namespace

void lint_recovery_point(const Plan& plan, Findings& findings) {
  for (const DataObjective& data : plan.data) {
    check_data(plan, data, findings);
    check_proof(plan, data, findings);
  }
  for (const Backup& backup : plan.backups) check_backup(plan, backup, findings);
}

}  // namespace anclora::plan
