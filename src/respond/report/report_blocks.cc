#include "respond/report/report_blocks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "respond/report/block_writer.h"

namespace anclora::respond {
namespace {

using Look = ReportCell::Look;
using Phase = ReportCheck::Phase;

bool is_over(const ReportFacts& facts) { return facts.ended.has_value(); }

// A drill's report leaves no blank for what is usually of incidents only, and shows it where somebody wrote it.
bool asks_for(const ReportFacts& facts, const std::string& written) {
  return facts.kind == ReportKind::kIncident || !written.empty();
}

std::string name_of(const ReportFacts& facts, const std::string& id) {
  for (const ReportPerson& person : facts.people)
    if (person.id == id && !person.name.empty()) return fmt::format("{} ({})", person.name, id);
  return id;
}

void write_verdict(BlockWriter& out, const ReportFacts& facts) {
  ReportBlock block;
  block.kind = ReportBlock::Kind::kVerdict;
  const bool good = facts.state == "passed" || facts.state == "finished" || facts.state == "closed";
  const bool bad = facts.state == "failed" || facts.state == "aborted";
  block.cell = {fmt::format("{}: {}", out.say("result"), out.word("state.", facts.state)), good  ? Look::kGood
                                                                                           : bad ? Look::kBad
                                                                                                 : Look::kText};
  for (const std::string& reason : facts.reasons)
    block.rows.push_back({ReportCell(reason.substr(0, reason.find("\nhint: ")))});
  out.add(std::move(block));
  if (!is_over(facts)) out.paragraph({out.say("unfinished"), Look::kMuted});
}

ReportCell duration_cell(const BlockWriter& out, const ReportFacts& facts) {
  const auto begun = facts.marks.find("t_out");
  const auto start = begun != facts.marks.end() ? std::optional(begun->second) : facts.started;
  if (!start) return {out.say("not_known"), Look::kMuted};
  if (!facts.ended) return fmt::format("{} – {}", report_time(*start), out.say("duration.until_now"));
  return fmt::format("{} – {} ({})", report_time(*start), report_time(*facts.ended),
                     report_duration(*facts.ended - *start, out.language()));
}

ReportCell environment_cell(const BlockWriter& out, const ReportFacts& facts) {
  if (facts.environment.empty() && !facts.sandbox) return out.say("environment.production");
  return facts.sandbox ? fmt::format("{} ({})", facts.environment, out.say("environment.sandbox")) : facts.environment;
}

void write_plan(const BlockWriter& out, const ReportFacts& facts, std::vector<Row>& rows) {
  if (facts.plan_hash.empty()) return;
  rows.push_back({out.say("plan"), ReportCell(facts.plan_file + " " + facts.plan_hash.substr(0, 16), Look::kCode)});
  if (!facts.plan_verified) return;
  std::string text = *facts.plan_verified ? out.say("plan.verified") : out.say("plan.unverified");
  if (facts.plan_last_passed)
    text += fmt::format(" ({} {})", out.say("plan.last_passed"), report_time(*facts.plan_last_passed));
  rows.push_back({"", ReportCell(text, *facts.plan_verified ? Look::kGood : Look::kBad)});
}

void write_summary(BlockWriter& out, const ReportFacts& facts) {
  out.heading("heading.summary");
  const bool drill = facts.kind == ReportKind::kDrill;
  std::vector<Row> rows;
  rows.push_back({drill ? out.say("id.drill") : out.say("id.incident"), out.code(facts.id)});
  if (facts.started) rows.push_back({out.say("date"), format_rfc3339(*facts.started).substr(0, 10)});
  rows.push_back({out.say("service"), facts.service});
  rows.push_back({out.say("scenario"),
                  facts.title.empty() ? facts.scenario : fmt::format("{} ({})", facts.title, facts.scenario)});
  if (!facts.severity.empty()) rows.push_back({out.say("severity"), out.word("severity.", facts.severity)});
  rows.push_back({out.say("environment"), environment_cell(out, facts)});
  rows.push_back({out.say("duration"), duration_cell(out, facts)});
  for (const ReportPerson& person : facts.people)
    if (person.part == "tester" || person.part == "started")
      rows.push_back({person.part == "tester" ? out.say("tester") : out.say("started_by"), name_of(facts, person.id)});
  if (!drill || !facts.words.impact.empty()) rows.push_back({out.say("impact"), out.or_blank(facts.words.impact)});
  write_plan(out, facts, rows);
  if (!facts.runs.empty() && facts.runs != std::vector{facts.id})
    rows.push_back({out.say("id.runs"), ReportCell(fmt::format("{}", fmt::join(facts.runs, " ")), Look::kCode)});
  out.pairs(std::move(rows));
}

void write_checklist(BlockWriter& out, const ReportFacts& facts, Phase phase) {
  ReportBlock block;
  block.kind = ReportBlock::Kind::kChecklist;
  for (const ReportCheck& check : facts.checks) {
    if (check.phase != phase) continue;
    const auto known = find_report_text("check.", check.id, out.language());
    const std::string name = known ? std::string(*known) : check.text.empty() ? check.id : check.text;
    block.rows.push_back({ReportCell(name), ReportCell(check.proof)});
    block.verdicts.push_back(check.verdict);
  }
  if (!block.rows.empty()) out.add(std::move(block));
}

void write_checks(BlockWriter& out, const ReportFacts& facts) {
  const auto has = [&](Phase phase) {
    return std::ranges::find(facts.checks, phase, &ReportCheck::phase) != facts.checks.end();
  };
  if (facts.kind == ReportKind::kIncident) {
    if (facts.checks.empty()) return;
    out.heading("heading.checks");
    for (const Phase phase : {Phase::kBefore, Phase::kDuring, Phase::kAfter}) write_checklist(out, facts, phase);
    return;
  }
  if (has(Phase::kBefore)) out.heading("heading.before");
  write_checklist(out, facts, Phase::kBefore);
  if (has(Phase::kDuring)) out.heading("heading.during");
  write_checklist(out, facts, Phase::kDuring);
  if (has(Phase::kAfter)) out.heading("heading.after");
  write_checklist(out, facts, Phase::kAfter);
}

ReportCell loss_cell(const BlockWriter& out, const ReportFacts& facts) {
  std::string text;
  bool measured = false;
  for (const ReportRpo& rpo : facts.rpo) {
    measured = measured || rpo.lost || rpo.writes;
    if ((!rpo.lost || *rpo.lost <= Duration::zero()) && rpo.writes.value_or(0) == 0) continue;
    text += text.empty() ? out.say("loss.yes") + ": " : "; ";
    if (!rpo.data.empty()) text += rpo.data + " ";
    if (rpo.lost) text += report_duration(*rpo.lost, out.language());
    if (rpo.writes) text += fmt::format("{}{} {}", rpo.lost ? ", " : "", *rpo.writes, out.say("writes"));
  }
  if (!text.empty()) return {text, Look::kBad};
  return measured ? ReportCell(out.say("loss.none"), Look::kGood) : ReportCell(out.say("not_measured"), Look::kMuted);
}

void write_impact(BlockWriter& out, const ReportFacts& facts) {
  out.heading("heading.impact");
  std::vector<Row> rows;
  rows.push_back({out.say("loss"), loss_cell(out, facts)});
  if (asks_for(facts, facts.words.users_affected))
    rows.push_back({out.say("users_affected"), out.or_blank(facts.words.users_affected)});
  if (asks_for(facts, facts.words.revenue_impact))
    rows.push_back({out.say("revenue_impact"), out.or_blank(facts.words.revenue_impact)});
  out.pairs(std::move(rows));
  if (facts.impact.empty()) return;
  out.heading("heading.counts", 3);
  std::vector<Row> counts;
  counts.reserve(facts.impact.size());
  for (const ReportCount& count : facts.impact)
    counts.push_back({out.word("count.", count.name), count.value, out.code(count.source)});
  out.table({out.say("column.what"), out.say("column.value"), out.say("column.source")}, std::move(counts),
            {false, true, false});
}

void write_root_cause(BlockWriter& out, const ReportFacts& facts) {
  if (!asks_for(facts, facts.words.root_cause) && facts.state != "failed") return;
  out.heading("heading.root_cause");
  out.blank_or(facts.words.root_cause);
}

void write_resolution(BlockWriter& out, const ReportFacts& facts) {
  if (!asks_for(facts, facts.words.resolution)) return;
  out.heading("heading.resolution");
  if (facts.kind == ReportKind::kDrill) return out.blank_or(facts.words.resolution);
  ReportBlock list;
  list.kind = ReportBlock::Kind::kList;
  for (const ReportStep& step : facts.steps)
    if (step.changes && (step.state == "done" || step.state == "manual_done"))
      list.rows.push_back({ReportCell(
          fmt::format("{} ({}): {}", step.id, step.uses, step.state == "done" ? step.summary : step.evidence))});
  const bool has_steps = !list.rows.empty();
  if (has_steps) out.add(std::move(list));
  if (!has_steps || !facts.words.resolution.empty()) out.blank_or(facts.words.resolution);
}

void write_actions(BlockWriter& out, const ReportFacts& facts) {
  out.heading("heading.actions");
  std::vector<Row> rows;
  rows.reserve(facts.actions.size());
  for (const ReportAction& action : facts.actions)
    rows.push_back({action.text, out.or_blank(name_of(facts, action.owner)), out.or_blank(action.due),
                    out.word("state.", action.state)});
  if (rows.empty()) return out.blank_or("");
  out.table({out.say("column.what"), out.say("column.owner"), out.say("column.due"), out.say("column.state")},
            std::move(rows));
}

void write_list_or_blank(BlockWriter& out, const std::vector<std::string>& items) {
  if (items.empty()) return out.blank_or("");
  ReportBlock list;
  list.kind = ReportBlock::Kind::kList;
  for (const std::string& item : items) list.rows.push_back({ReportCell(item)});
  out.add(std::move(list));
}

void write_lessons(BlockWriter& out, const ReportFacts& facts) {
  if (facts.kind == ReportKind::kDrill) {
    out.heading("heading.findings");
    out.blank_or(facts.words.findings);
  }
  out.heading("heading.lessons");
  out.heading("heading.went_well", 3);
  write_list_or_blank(out, facts.words.went_well);
  out.heading("heading.to_improve", 3);
  write_list_or_blank(out, facts.words.to_improve);
  if (!asks_for(facts, facts.words.prevention)) return;
  out.heading("heading.prevention");
  out.blank_or(facts.words.prevention);
}

void write_people(BlockWriter& out, const ReportFacts& facts) {
  if (facts.people.empty()) return;
  out.heading("heading.people");
  std::vector<Row> rows;
  rows.reserve(facts.people.size());
  for (const ReportPerson& person : facts.people)
    rows.push_back({name_of(facts, person.id), out.word("part.", person.part)});
  out.table({out.say("column.person"), out.say("column.part")}, std::move(rows));
}

void write_deliveries(BlockWriter& out, const ReportFacts& facts) {
  if (facts.deliveries.empty()) return;
  out.heading("heading.deliveries");
  std::vector<Row> rows;
  for (const ReportDelivery& each : facts.deliveries) {
    const Look look = each.state == "failed" ? Look::kBad : Look::kText;
    rows.push_back({report_time(each.time), name_of(facts, each.contact), each.channel,
                    ReportCell(out.word("state.", each.state), look), each.text});
  }
  out.table({out.say("column.time"), out.say("column.who"), out.say("column.channel"), out.say("column.state"),
             out.say("column.what")},
            std::move(rows));
}

void write_evidence(BlockWriter& out, const ReportFacts& facts) {
  if (facts.evidence.empty()) return;
  out.heading("heading.evidence");
  out.paragraph(out.say("evidence.about"));
  std::vector<Row> rows;
  rows.reserve(facts.evidence.size());
  for (const ReportEvidence& each : facts.evidence)
    rows.push_back({fmt::format("{} {}", out.word("evidence.", each.what), each.id),
                    each.records == 0 ? ReportCell("–", Look::kMuted) : ReportCell(std::to_string(each.records)),
                    out.code(each.hash), out.code(each.verify)});
  out.table({out.say("column.what"), out.say("column.records"), out.say("column.hash"), out.say("column.command")},
            std::move(rows), {false, true, false, false});
}

}  // namespace

std::string report_duration(Duration duration, Language language) {
  std::string text = format_duration(duration);
  if (language == Language::kSpanish) std::ranges::replace(text, '.', ',');
  return text;
}

std::string report_time(WallTime time) {
  const std::string text = format_rfc3339(time);
  return text.substr(0, 10) + " " + text.substr(11, 8) + " UTC";
}

std::string report_title(const ReportFacts& facts, Language language) {
  const BlockWriter words(language);
  if (facts.kind == ReportKind::kIncident) return fmt::format("{} – {}", words.say("title.incident"), facts.id);
  std::string title = words.say("title.drill");
  if (facts.started) title += " – " + format_rfc3339(*facts.started).substr(0, 10);
  return title;
}

std::vector<ReportBlock> report_blocks(const ReportFacts& facts, Language language) {
  BlockWriter out(language);
  out.heading(1, report_title(facts, language));
  write_verdict(out, facts);
  write_summary(out, facts);
  write_objectives(out, facts);
  if (facts.kind == ReportKind::kDrill) write_checks(out, facts);
  write_timeline(out, facts);
  write_root_cause(out, facts);
  write_resolution(out, facts);
  write_impact(out, facts);
  if (facts.kind == ReportKind::kIncident) write_checks(out, facts);
  write_actions(out, facts);
  write_lessons(out, facts);
  write_steps(out, facts);
  write_approvals(out, facts);
  write_people(out, facts);
  write_deliveries(out, facts);
  write_evidence(out, facts);
  out.paragraph({fmt::format("{} {} {} anclora {}", out.say("made"), report_time(facts.generated), out.say("made_by"),
                             facts.version),
                 Look::kMuted});
  return out.take();
}

}  // namespace anclora::respond
