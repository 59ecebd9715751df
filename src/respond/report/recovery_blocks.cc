// The parts of a report that tell of the recovery itself: its clocks, its timeline, its steps, its approvals.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "respond/report/block_writer.h"

namespace anclora::respond {
namespace {

using Look = ReportCell::Look;

std::optional<WallTime> beginning(const ReportFacts& facts) {
  const auto out = facts.marks.find("t_out");
  return out != facts.marks.end() ? std::optional(out->second) : facts.started;
}

// "+0:04.2", "+1:02:03.0"
std::string since(WallTime time, std::optional<WallTime> start, Language language) {
  if (!start) return "";
  const std::int64_t tenths = std::chrono::duration_cast<std::chrono::milliseconds>(time - *start).count() / 100;
  const std::int64_t size = std::abs(tenths);
  const std::int64_t hours = size / 36000;
  const std::int64_t minutes = size / 600 % 60;
  const char point = language == Language::kSpanish ? ',' : '.';
  const std::string tail = fmt::format("{:02}{}{}", size / 10 % 60, point, size % 10);
  const char sign = tenths < 0 ? '-' : '+';
  return hours > 0 ? fmt::format("{}{}:{:02}:{}", sign, hours, minutes, tail)
                   : fmt::format("{}{}:{}", sign, minutes, tail);
}

ReportCell achieved_rpo(const BlockWriter& out, const ReportRpo& rpo) {
  if (!rpo.lost && !rpo.writes) return {out.say("not_measured"), Look::kMuted};
  std::string text = rpo.lost ? report_duration(*rpo.lost, out.language()) : "";
  if (rpo.writes) text += fmt::format("{}{} {}", rpo.lost ? ", " : "", *rpo.writes, out.say("writes"));
  return text;
}

void write_split(BlockWriter& out, const ReportRto& rto) {
  if (!rto.achieved || *rto.achieved <= Duration::zero()) return;
  out.heading("heading.split", 3);
  ReportBlock block;
  block.kind = ReportBlock::Kind::kTable;
  block.header = {out.say("column.phase"), out.say("column.took"), out.say("column.share")};
  block.numeric = {false, true, true};
  const auto add = [&](ReportKey name, const std::optional<Duration>& part) {
    const double share = part ? static_cast<double>(part->count()) / static_cast<double>(rto.achieved->count()) : 0.0;
    block.rows.push_back(
        {out.say(name), out.duration(part),
         part ? ReportCell(fmt::format("{} %", std::lround(share * 100))) : ReportCell("–", Look::kMuted)});
    block.bars.push_back({out.say(name), share});
  };
  add("rto.detect", rto.detect);
  add("rto.decide", rto.decide);
  add("rto.act", rto.act);
  add("rto.verify", rto.verify);
  out.add(std::move(block));
}

// A problem without the hint that its command line gave: the next step of that moment is none for a reader afterwards.
std::string without_hint(const std::string& text) { return text.substr(0, text.find("\nhint: ")); }

std::string event_text(const BlockWriter& out, const ReportEvent& event) {
  std::string what = out.word("event.", event.kind);
  if (event.kind == "run.mark") return out.word("event.mark.", event.text);
  if (!event.step.empty()) what = fmt::format("{}: {}", event.step, what);
  std::string text = without_hint(event.text);
  if (event.kind == "incident.written")
    if (const std::size_t colon = text.find(": "); colon != std::string::npos)
      text = out.word("written.", text.substr(0, colon)) + text.substr(colon);
  if (!text.empty()) what += " – " + text;
  return what;
}

Look event_look(const ReportEvent& event) {
  const std::string& kind = event.kind;
  if (kind.ends_with("failed") || kind.ends_with(".refused") || kind.ends_with("timed_out") ||
      kind.ends_with(".unknown") || kind.ends_with("aborted"))
    return Look::kBad;
  if (kind == "run.mark" && event.text == "t_serv") return Look::kGood;
  return kind == "step.change" || kind == "step.note" ? Look::kMuted : Look::kText;
}

ReportCell took_cell(const BlockWriter& out, const ReportStep& step) {
  if (!step.took) return {"–", Look::kMuted};
  const std::string text = report_duration(*step.took, out.language());
  if (step.budget == Duration::zero() || *step.took <= step.budget) return text;
  return {fmt::format("{} ({})", text, out.say("over_budget")), Look::kBad};
}

ReportCell outcome_cell(const BlockWriter& out, const ReportStep& step) {
  std::string text = step.state == "done" || step.problem.empty() ? step.summary : without_hint(step.problem);
  if (!step.settled_by.empty() && step.state != "done") text = fmt::format("{}: {}", step.settled_by, step.evidence);
  if (step.attempts > 1) text += fmt::format("{}{} {}", text.empty() ? "" : "; ", step.attempts, out.say("attempts"));
  if (step.after) text += fmt::format("{}{}", text.empty() ? "" : "; ", out.say("post_recovery"));
  return text;
}

Look state_look(const std::string& state) {
  if (state == "done" || state == "manual_done") return Look::kGood;
  return state == "failed_paused" || state == "unknown" ? Look::kBad : Look::kMuted;
}

std::string given_by(const BlockWriter& out, const ReportApproval& approval) {
  if (!approval.refused_by.empty()) return out.say("refused_by") + " " + approval.refused_by;
  std::string text;
  for (const ReportGrant& grant : approval.given)
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", grant.contact, report_time(grant.time));
  if (approval.granted && approval.given.size() < approval.need)
    text += (text.empty() ? "" : "; ") + out.say("by_policy");
  return text.empty() ? "–" : text;
}

}  // namespace

void write_objectives(BlockWriter& out, const ReportFacts& facts) {
  out.heading("heading.objectives");
  const ReportRto& rto = facts.rto;
  std::vector<Row> rows;
  ReportCell verdict = out.verdict(rto.met, "verdict.met", "verdict.missed");
  if (rto.met_max == Verdict::kFailed) verdict.text += fmt::format(" ({})", out.say("column.maximum"));
  rows.push_back({out.say("rto"), out.objective(rto.objective), out.objective(rto.maximum), out.duration(rto.achieved),
                  verdict, ReportCell("–", Look::kMuted)});
  for (const ReportRpo& rpo : facts.rpo)
    rows.push_back({fmt::format("{}{}{}", out.say("rpo"), rpo.data.empty() ? "" : ": ", rpo.data),
                    out.objective(rpo.objective), ReportCell("–", Look::kMuted), achieved_rpo(out, rpo),
                    out.verdict(rpo.met, "verdict.met", "verdict.missed"), out.code(rpo.proof)});
  out.table({out.say("column.objective"), out.say("column.target"), out.say("column.maximum"),
             out.say("column.achieved"), out.say("column.verdict"), out.say("column.proof")},
            std::move(rows));
  write_split(out, rto);
}

void write_timeline(BlockWriter& out, const ReportFacts& facts) {
  out.heading("heading.timeline");
  const auto start = beginning(facts);
  std::vector<Row> rows;
  for (const ReportEvent& event : facts.timeline) {
    const std::string time = format_rfc3339(event.time);
    rows.push_back({time.substr(0, 10) + " " + time.substr(11, 8), since(event.time, start, out.language()),
                    ReportCell(event_text(out, event), event_look(event)), event.actor});
  }
  out.table({out.say("column.time"), out.say("column.since"), out.say("column.event"), out.say("column.who")},
            std::move(rows), {false, true, false, false});
}

void write_steps(BlockWriter& out, const ReportFacts& facts) {
  if (facts.steps.empty()) return;
  out.heading("heading.steps");
  std::vector<Row> rows;
  rows.reserve(facts.steps.size());
  for (const ReportStep& step : facts.steps)
    rows.push_back({out.code(step.id), out.code(step.uses),
                    ReportCell(out.word("state.", step.state), state_look(step.state)), out.objective(step.budget),
                    took_cell(out, step), outcome_cell(out, step)});
  out.table({out.say("column.step"), out.say("column.action"), out.say("column.state"), out.say("column.budget"),
             out.say("column.took"), out.say("column.outcome")},
            std::move(rows), {false, false, false, true, true, false});
}

void write_approvals(BlockWriter& out, const ReportFacts& facts) {
  if (facts.approvals.empty()) return;
  out.heading("heading.approvals");
  std::vector<Row> rows;
  for (const ReportApproval& each : facts.approvals) {
    const std::string roles =
        fmt::format("{} ({} {})", each.roles.empty() ? "–" : fmt::format("{}", fmt::join(each.roles, ", ")), each.need,
                    out.say("needed"));
    rows.push_back({each.step.empty() ? ReportCell(out.say("of_scenario")) : out.code(each.step), roles,
                    ReportCell(given_by(out, each), each.refused_by.empty() ? Look::kText : Look::kBad),
                    each.waited ? out.duration(each.waited) : ReportCell("–", Look::kMuted)});
  }
  out.table({out.say("column.step"), out.say("column.roles"), out.say("column.approved_by"), out.say("column.waited")},
            std::move(rows), {false, false, false, true});
}

}  // namespace anclora::respond
