#include "app/view/serve_metrics.h"

#include <fmt/format.h>

#include <algorithm>

namespace anclora::app {
namespace {

using Labels = std::vector<std::pair<std::string_view, std::string>>;

// Text exposition format 0.0.4: one HELP and TYPE a name, then its samples.
class Exposition {
 public:
  void begin(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_ += fmt::format("# HELP anclora_{} {}\n# TYPE anclora_{} {}\n", name, help, name, type);
  }
  void add(const Labels& labels, double value) {
    std::string inside;
    for (const auto& [name, text] : labels) {
      if (!inside.empty()) inside += ",";
      inside += fmt::format("{}=\"{}\"", name, escaped(text));
    }
    text_ += fmt::format("anclora_{}{} {}\n", name_, inside.empty() ? "" : "{" + inside + "}", value);
  }
  std::string take() { return std::move(text_); }

 private:
  static std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
      if (c == '\n') out += "\\n";
      if (c == '\\' || c == '"') out += '\\';
      if (c != '\n') out += c;
    }
    return out;
  }
  std::string text_, name_;
};

double seconds(Duration duration) { return static_cast<double>(duration.count()) / 1e6; }

void add_backups(Exposition& out, const ServeView& view) {
  const auto each = [&](auto value_of) {
    for (const BackupView& backup : view.backups)
      if (const std::optional<double> value = value_of(backup))
        out.add({{"backup", backup.id}, {"repository", backup.repository}, {"source", backup.source}}, *value);
  };
  out.begin("rpo_seconds", "gauge", "What would be lost at most if the source were lost now.");
  each([](const BackupView& backup) { return backup.rpo_seconds(); });
  out.begin("rpo_objective_seconds", "gauge", "What the plan promises for this backup's data.");
  each([](const BackupView& backup) {
    return backup.rpo_objective > Duration::zero() ? std::optional<double>(seconds(backup.rpo_objective))
                                                   : std::nullopt;
  });
  out.begin("backup_age_seconds", "gauge",
            "Age of the newest entry in the repository; a sign of life comes each 10 s.");
  each([](const BackupView& backup) { return backup.age_seconds; });
  out.begin("backup_lag_seconds", "gauge", "Age of what the source has and the repository has not.");
  each([](const BackupView& backup) { return backup.lag_seconds; });
  out.begin("backup_away", "gauge", "1 while the repository does not answer or knows no such source.");
  each([](const BackupView& backup) { return std::optional<double>(backup.away ? 1 : 0); });
}

void add_recovery(Exposition& out, const ServeView& view) {
  out.begin("rto_forecast_seconds", "gauge", "How long a recovery will take: of a run, else of drills, else on paper.");
  for (const ScenarioView& each : view.scenarios)
    out.add({{"scenario", each.id}, {"basis", each.basis}}, each.forecast_seconds);
  out.begin("rto_objective_seconds", "gauge", "What the plan promises for this scenario's severity.");
  for (const ScenarioView& each : view.scenarios)
    if (each.objective > Duration::zero()) out.add({{"scenario", each.id}}, seconds(each.objective));
  out.begin("runs_active", "gauge", "Runs of production that are not over.");
  out.add({}, static_cast<double>(view.runs.size()));
  out.begin("runs_waiting", "gauge", "Runs that wait for a person.");
  out.add({}, static_cast<double>(
                  std::ranges::count_if(view.runs, [](const RunView& run) { return !run.waits_for.empty(); })));
  out.begin("incidents_open", "gauge", "Incidents that are not closed.");
  out.add({}, static_cast<double>(view.incidents_open));
  out.begin("incidents_unacknowledged", "gauge", "Open incidents that nobody has acknowledged.");
  out.add({}, static_cast<double>(view.incidents_unacknowledged));
}

void add_detection(Exposition& out, const ServeView& view) {
  out.begin("probe_state", "gauge", "1 for the state that the probe has at this vantage point, 0 for the others.");
  for (const respond::ProbeView& probe : view.probes)
    for (const auto state : {plan::ProbeState::kUp, plan::ProbeState::kDown, plan::ProbeState::kUnknown})
      out.add({{"probe", probe.probe}, {"vantage", probe.vantage}, {"state", std::string(respond::to_string(state))}},
              probe.state == state ? 1 : 0);
  out.begin("probe_look_seconds", "gauge", "How long the last look took.");
  for (const respond::ProbeView& probe : view.probes)
    if (probe.last) out.add({{"probe", probe.probe}, {"vantage", probe.vantage}}, seconds(probe.last->took));
  out.begin("rule_state", "gauge", "1 for the state that the detection rule has, 0 for the others.");
  using enum respond::RuleState;
  for (const respond::RuleVerdict& verdict : view.verdicts)
    for (const auto state : {kQuiet, kSuspected, kConfirmed, kSilenced, kIsolated})
      out.add(
          {{"rule", verdict.rule}, {"scenario", verdict.scenario}, {"state", std::string(respond::to_string(state))}},
          verdict.state == state ? 1 : 0);
  out.begin("observer_isolated", "gauge", "1 while most control probes fail: nothing is declared from here.");
  out.add({}, view.isolated ? 1 : 0);
  out.begin("detector_age_seconds", "gauge", "Since the detector last judged: alert above 5.");
  out.add({}, view.detector_age_seconds);
}

void add_drills(Exposition& out, const ServeView& view) {
  std::map<std::pair<std::string, std::string>, const respond::DrillRecord*> newest, passed;
  for (const respond::DrillRecord& record : view.drills) {
    newest[{record.scenario, record.environment}] = &record;
    if (record.passed) passed[{record.scenario, record.environment}] = &record;
  }
  const auto each = [&](const auto& records, auto value_of) {
    for (const auto& [key, record] : records)
      if (const std::optional<double> value = value_of(*record))
        out.add({{"scenario", key.first}, {"environment", key.second}}, *value);
  };
  out.begin("drill_passed", "gauge", "1 when the newest drill passed.");
  each(newest, [](const auto& record) { return std::optional<double>(record.passed ? 1 : 0); });
  out.begin("drill_passed_age_seconds", "gauge", "Since a drill last passed.");
  each(passed, [&](const auto& record) { return std::optional<double>(seconds(view.now - record.ended)); });
  out.begin("drill_rto_seconds", "gauge", "What the newest drill took.");
  each(newest, [](const auto& record) {
    return record.achieved.rto ? std::optional<double>(seconds(*record.achieved.rto)) : std::nullopt;
  });
  out.begin("drill_rpo_seconds", "gauge", "What the newest drill would have lost.");
  each(newest, [](const auto& record) {
    return record.achieved.rpo ? std::optional<double>(seconds(*record.achieved.rpo)) : std::nullopt;
  });
}

void add_children(Exposition& out, const ServeView& view) {
  out.begin("child_up", "gauge", "1 while this child process runs that is to run always.");
  for (const ChildView& child : view.children)
    if (child.keep) out.add({{"child", child.name}}, child.running ? 1 : 0);
  out.begin("child_restarts_total", "counter", "How often it had to be started again.");
  for (const ChildView& child : view.children)
    if (child.keep) out.add({{"child", child.name}}, static_cast<double>(child.restarts));
  out.begin("job_failures_total", "counter", "Ends with another exit code than 0, since the start, by job.");
  for (const auto& [name, count] : view.job_failures) out.add({{"job", name}}, static_cast<double>(count));
}

}  // namespace

std::optional<double> BackupView::rpo_seconds() const {
  if (!age_seconds) return std::nullopt;
  return std::max(*age_seconds, lag_seconds.value_or(0));
}

std::string to_prometheus(const ServeView& view) {
  Exposition out;
  out.begin("up", "gauge", "1 while serve runs.");
  out.add({{"service", view.service}, {"version", view.version}}, 1);
  add_backups(out, view);
  add_recovery(out, view);
  add_detection(out, view);
  add_drills(out, view);
  add_children(out, view);
  return out.take();
}

}  // namespace anclora::app
