#include "app/view/run_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

namespace anclora::app {
namespace {

using Json = nlohmann::ordered_json;
using respond::RunStep;
using respond::StepState;
using respond::StepStatus;

Json seconds_of(const std::optional<Duration>& duration) {
  if (!duration) return nullptr;
  return static_cast<double>(duration->count()) / 1e6;
}

Json objective(Duration duration) { return duration > Duration::zero() ? seconds_of(duration) : Json(nullptr); }

Json time_of(const std::optional<WallTime>& time) { return time ? Json(format_rfc3339(*time)) : Json(nullptr); }

std::string state_of(const RunReport& report, std::size_t i) {
  const StepStatus& step = report.state.steps[i];
  if (step.state == StepState::kPending && report.state.ready(report.run, i) && !report.state.over()) return "ready";
  return std::string(to_string(step.state));
}

std::optional<Duration> elapsed_of(const RunReport& report, const StepStatus& step) {
  if (!step.first_started) return std::nullopt;
  return (step.finished ? *step.finished : report.now) - *step.first_started;
}

std::string roles_of(const std::vector<std::string>& roles) {
  return roles.empty() ? "anybody of the plan's contacts" : fmt::format("{}", fmt::join(roles, " or "));
}

Json approval_json(const std::optional<plan::Approval>& rule, const respond::ApprovalState& approval) {
  if (!rule) return nullptr;
  Json given = Json::array();
  for (const respond::Grant& grant : approval.given) given.push_back(grant.contact);
  const bool runs_out = approval.round > 0 && rule->timeout > Duration::zero() && !approval.granted;
  return {{"roles", rule->roles},
          {"need", rule->need},
          {"given", given},
          {"granted", approval.granted},
          {"expires", runs_out ? Json(format_rfc3339(approval.asked + rule->timeout)) : Json(nullptr)}};
}

Json step_json(const RunReport& report, std::size_t i) {
  const RunStep& step = report.run.steps[i];
  const StepStatus& status = report.state.steps[i];
  return {{"id", step.step.id},
          {"uses", step.step.uses},
          {"state", state_of(report, i)},
          {"after", step.after},
          {"needs", step.step.needs},
          {"attempt", status.attempt},
          {"budget_seconds", objective(step.step.budget)},
          {"elapsed_seconds", seconds_of(elapsed_of(report, status))},
          {"summary", status.summary},
          {"problem", status.problem},
          {"note", status.note},
          {"settled_by", status.settled_by},
          {"evidence", status.evidence},
          {"outputs", status.outputs},
          {"approval", approval_json(step.step.approve, status.approval)}};
}

WaitsFor waits_for_step(const RunReport& report, std::size_t i) {
  const RunStep& step = report.run.steps[i];
  const StepStatus& status = report.state.steps[i];
  const std::string rest = fmt::format("{} --run {} --as NAME", step.step.id, report.state.run);
  if (status.state == StepState::kAwaitingApproval)
    return {step.step.id, "approval", roles_of(step.step.approve->roles), {"anclora run approve " + rest}};
  if (status.state == StepState::kRunning)
    return {step.step.id, "work by hand", "", {fmt::format("anclora run done {} --evidence TEXT", rest)}};
  WaitsFor decision{step.step.id, "decision", "", {}};
  const std::string retry = fmt::format("anclora run resume --retry {}", rest);
  const std::string done = fmt::format("anclora run done {} --evidence TEXT", rest);
  // Where it may have happened, looking comes before trying again.
  decision.commands = status.state == StepState::kUnknown ? std::vector{done, retry} : std::vector{retry, done};
  decision.commands.push_back(fmt::format("anclora run skip {} --reason TEXT", rest));
  if (step.undoable && status.changed && status.state != StepState::kUndone)
    decision.commands.push_back("anclora run undo " + rest);
  decision.commands.push_back(fmt::format("anclora run abort --run {} --as NAME --reason TEXT", report.state.run));
  return decision;
}

std::string sign_of(const std::string& state) {
  if (state == "done" || state == "manual_done") return "✓";
  if (state == "failed_paused" || state == "unknown") return "!";
  if (state == "running" || state == "verifying") return "▶";
  if (state == "awaiting_approval") return "?";
  return state == "skipped" ? "-" : state == "undone" ? "↶" : " ";
}

std::string step_text(const RunReport& report, std::size_t i) {
  const RunStep& step = report.run.steps[i];
  const StepStatus& status = report.state.steps[i];
  const std::string state = state_of(report, i);
  const auto elapsed = elapsed_of(report, status);
  std::string line = fmt::format("{} {:<16} {:<18} {:<24}", sign_of(state), step.step.id, state, step.step.uses);
  if (elapsed) line += " " + format_duration(*elapsed);
  if (step.step.budget > Duration::zero()) line += " of " + format_duration(step.step.budget);
  line += "\n";
  const bool open = state == "failed_paused" || state == "unknown";
  if (open) line += "    " + said_with_hint(status.problem, 4) + "\n";
  if (!open && !status.summary.empty()) line += "    " + status.summary.substr(0, status.summary.find('\n')) + "\n";
  if (state == "skipped" || state == "manual_done")
    line += fmt::format("    {}: {}\n", status.settled_by, status.evidence);
  return line;
}

std::string clock_text(const RunReport& report) {
  const respond::Forecast now = respond::forecast(report.run, report.state, report.now, report.past);
  const respond::RtoSplit split = respond::split_rto(report.run, report.state);
  std::string text = "elapsed " + format_duration(now.elapsed);
  if (!report.state.over() && !split.achieved) text += ", forecast " + format_duration(now.total);
  if (report.run.rto > Duration::zero()) text += ", RTO " + format_duration(report.run.rto);
  if (now.over_rto) text += now.over_rto_max ? ": MISSES THE MAXIMUM" : ": MISSES THE OBJECTIVE";
  text += "\n";
  if (split.achieved)
    text += fmt::format(
        "achieved RTO {}: detect {}, decide {}, act {}, verify {}\n", format_duration(*split.achieved),
        format_duration(split.detect.value_or(Duration{})), format_duration(split.decide.value_or(Duration{})),
        format_duration(split.act.value_or(Duration{})), format_duration(split.verify.value_or(Duration{})));
  const respond::MeasuredRpo rpo = respond::measured_rpo(report.state);
  if (!rpo.seconds.empty())
    text += fmt::format("lost: {} s, {} writes\n", rpo.seconds, rpo.writes.empty() ? "?" : rpo.writes);
  return text;
}

}  // namespace

std::string run_state_text(const RunReport& report) {
  if (report.state.finished) return "finished";
  if (report.state.aborted) return "aborted";
  if (!waits_for(report).empty()) return "waiting";
  return report.has_runner ? "running" : "interrupted";
}

std::vector<WaitsFor> waits_for(const RunReport& report) {
  std::vector<WaitsFor> list;
  if (report.state.over()) return list;
  if (report.run.declare && report.state.declare.round > 0 && !report.state.declare.granted)
    list.push_back({"",
                    "approval",
                    roles_of(report.run.declare->roles),
                    {fmt::format("anclora run approve --run {} --as NAME", report.state.run)}});
  for (std::size_t i = 0; i < report.run.steps.size(); ++i) {
    const StepState state = report.state.steps[i].state;
    const bool by_hand = state == StepState::kRunning && report.run.steps[i].by_person;
    if (by_hand || state == StepState::kAwaitingApproval || report.state.needs_decision(i))
      list.push_back(waits_for_step(report, i));
  }
  return list;
}

std::string said_with_hint(const std::string& text, std::size_t indent) {
  std::string said = text.substr(0, text.find('\n'));
  const std::size_t hint = text.find("\nhint: ");
  if (hint == std::string::npos) return said;
  return said + "\n" + std::string(indent, ' ') + text.substr(hint + 1, text.find('\n', hint + 1) - hint - 1);
}

std::string next_command(const RunReport& report) {
  if (report.state.over()) return {};
  const std::vector<WaitsFor> list = waits_for(report);
  if (!list.empty()) return list.front().commands.front();
  return report.has_runner ? std::string() : "anclora run resume --run " + report.state.run;
}

std::string to_text(const WaitsFor& waits) {
  std::string text =
      fmt::format("waits for {}{}{}:\n", waits.what, waits.step.empty() ? " of the scenario" : " of " + waits.step,
                  waits.who.empty() ? "" : " by " + waits.who);
  for (const std::string& command : waits.commands) text += "  " + command + "\n";
  return text;
}

Json to_json(const RunReport& report) {
  const respond::RunState& state = report.state;
  const respond::Forecast now = respond::forecast(report.run, state, report.now, report.past);
  const respond::RtoSplit split = respond::split_rto(report.run, state);
  const respond::MeasuredRpo rpo = respond::measured_rpo(state);
  Json marks = Json::object();
  for (const auto& [name, time] : state.marks) marks[name] = format_rfc3339(time);
  Json steps = Json::array();
  for (std::size_t i = 0; i < report.run.steps.size(); ++i) steps.push_back(step_json(report, i));
  Json waiting = Json::array();
  for (const WaitsFor& each : waits_for(report))
    waiting.push_back({{"step", each.step}, {"what", each.what}, {"who", each.who}, {"commands", each.commands}});
  const auto number = [](const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(std::strtod(text.c_str(), nullptr));
  };
  return {{"run", state.run},
          {"scenario", report.run.scenario},
          {"service", report.plan.service},
          {"environment", state.environment},
          {"drill", state.drill},
          {"plan_hash", state.plan_hash},
          {"state", run_state_text(report)},
          {"has_runner", report.has_runner},
          {"runner", state.runner},
          {"generation", state.generation},
          {"starter", state.starter},
          {"started", time_of(state.started)},
          {"ended", time_of(state.ended)},
          {"end_reason", state.end_reason},
          {"elapsed_seconds", seconds_of(now.elapsed)},
          {"remaining_seconds", seconds_of(now.remaining)},
          {"forecast_seconds", seconds_of(now.total)},
          {"rto_seconds", objective(report.run.rto)},
          {"rto_max_seconds", objective(report.run.rto_max)},
          {"over_rto", now.over_rto},
          {"over_rto_max", now.over_rto_max},
          {"marks", marks},
          {"rto",
           {{"achieved_seconds", seconds_of(split.achieved)},
            {"detect_seconds", seconds_of(split.detect)},
            {"decide_seconds", seconds_of(split.decide)},
            {"act_seconds", seconds_of(split.act)},
            {"verify_seconds", seconds_of(split.verify)},
            {"met", split.achieved ? Json(split.met) : Json(nullptr)}}},
          {"rpo", {{"seconds", number(rpo.seconds)}, {"writes", number(rpo.writes)}}},
          {"declaration", approval_json(report.run.declare, state.declare)},
          {"steps", steps},
          {"waits_for", waiting},
          {"next_command", next_command(report)}};
}

std::string to_text(const RunReport& report) {
  std::string text =
      fmt::format("{}: {}{}\n", report.state.run, run_state_text(report), report.state.drill ? " (drill)" : "");
  if (!report.state.end_reason.empty())
    text += fmt::format("  {} {}\n", report.state.ended_by, report.state.end_reason);
  text += clock_text(report);
  for (std::size_t i = 0; i < report.run.steps.size(); ++i) text += step_text(report, i);
  for (const WaitsFor& each : waits_for(report)) text += to_text(each);
  if (!report.has_runner && !report.state.over())
    text += fmt::format("no process runs it: anclora run resume --run {}\n", report.state.run);
  return text;
}

}  // namespace anclora::app
