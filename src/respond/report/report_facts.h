// What a report says of a drill or an incident: facts only, in no language. Pure values. collect_run_facts() fills them
// from a run; whoever knows more (a drill's record, an incident's journal) adds to them before they are rendered.
// What only people can know (root cause, lessons) stays empty until they said it, and is printed as a marked blank.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace anclora::respond {

enum class ReportKind : std::uint8_t { kDrill, kIncident };  // the plan's two templates: DR test, post-incident

// Of a check or an objective: kUnknown where nobody measured it, never taken for a pass.
enum class Verdict : std::uint8_t { kUnknown, kPassed, kFailed };

struct ReportEvent {
  WallTime time;
  std::string source;  // whose journal says so: a run's id, an incident's id
  std::string kind;    // "step.failed", "incident.opened": as in the journal; the renderer knows its words
  std::string step;    // of a run; empty otherwise
  std::string actor;   // a contact's id; empty: the product itself
  std::string text;    // as it was written
};

struct ReportPerson {
  std::string id;
  std::string name;
  std::string part;  // "tester", "started", "approved", "refused", "decided", "acknowledged", "commander"
};

// A missing duration was not measured. Detect, decide, act and verify add up to `achieved`.
struct ReportRto {
  Duration objective{};  // zero: none
  Duration maximum{};
  std::optional<Duration> achieved, detect, decide, act, verify;
  Verdict met = Verdict::kUnknown;      // within the objective
  Verdict met_max = Verdict::kUnknown;  // within the maximum
};

struct ReportRpo {
  std::string data;  // the plan's data objective, e.g. "queue"
  Duration objective{};
  std::optional<Duration> lost;
  std::optional<std::uint64_t> writes;
  std::string proof;  // beacon | backup | catalogue, or the step that measured it
  Verdict met = Verdict::kUnknown;
};

struct ReportStep {
  std::string run;
  std::string id;
  std::string uses;
  std::string state;  // "done", "failed_paused", ...: as in `run status --json`
  bool after = false;
  bool changes = false;
  std::uint32_t attempts = 0;
  Duration budget{};  // zero: none
  std::optional<Duration> took;
  std::optional<WallTime> started, finished;
  std::string summary, problem, settled_by, evidence;
};

struct ReportGrant {
  std::string contact;
  WallTime time;
};

struct ReportApproval {
  std::string run;
  std::string step;  // empty: the declaration of the scenario
  std::vector<std::string> roles;
  std::uint32_t need = 1;
  std::vector<ReportGrant> given;
  std::string refused_by;
  bool granted = false;
  std::optional<Duration> waited;  // from the first request to the last grant
};

// Counted, from what the steps put out: name as in the step's output ("keys", "jobs_waiting", "commands_lost").
struct ReportCount {
  std::string name;
  std::string value;
  std::string source;  // run/step, or whoever counted
};

struct ReportCheck {
  enum class Phase : std::uint8_t { kBefore, kDuring, kAfter };
  Phase phase = Phase::kAfter;
  std::string id;    // known to the renderer ("backup_created", "rto_measured", ...) or a step's or rule's own
  std::string text;  // shown where the renderer does not know the id
  Verdict verdict = Verdict::kUnknown;
  std::string proof;  // what shows it
};

struct ReportAction {
  std::string id;
  std::string text;
  std::string owner;
  std::string due;  // "2026-12-01"; empty: none was set
  std::string state = "open";
};

struct ReportDelivery {
  WallTime time;
  std::string contact, channel, state, text;
};

struct ReportEvidence {
  std::string what;  // "run_journal", "incident_journal", "plan", "drill_record"
  std::string id;
  std::string hash;           // hexadecimal; of a journal: its last line's
  std::uint64_t records = 0;  // 0 where it has none
  std::string verify;         // the command that proves it again; empty: none
};

// What people write. Empty: a marked blank.
struct ReportWords {
  std::string impact, root_cause, resolution, users_affected, revenue_impact, prevention, findings;
  std::vector<std::string> went_well, to_improve;
};

struct ReportFacts {
  ReportKind kind = ReportKind::kDrill;
  std::string id;  // of the drill or incident; of a lone run the run's
  std::string service;
  std::string scenario, title;
  std::string severity;
  std::string environment;  // empty: production, as the plan's targets say
  bool sandbox = false;
  std::vector<std::string> runs;

  std::string state;                 // "passed", "failed"; "open", "closed"; of a lone run as `run status` calls it
  std::vector<std::string> reasons;  // why it failed or ended
  std::optional<WallTime> started, ended;
  std::map<std::string, WallTime> marks;  // t_out, t_det, t_decl, t_act, t_serv: when it began, was found, ...

  std::string plan_file, plan_hash;
  std::optional<bool> plan_verified;  // a drill of this scenario passed with exactly this plan; missing: not known
  std::optional<WallTime> plan_last_passed;

  std::vector<ReportPerson> people;
  ReportRto rto;
  std::vector<ReportRpo> rpo;
  std::vector<ReportEvent> timeline;  // by time
  std::vector<ReportStep> steps;
  std::vector<ReportApproval> approvals;
  std::vector<ReportCount> impact;
  std::vector<ReportCheck> checks;
  std::vector<ReportAction> actions;
  std::vector<ReportDelivery> deliveries;
  std::vector<ReportEvidence> evidence;
  ReportWords words;

  WallTime generated;
  std::string version;  // of this product
};

}  // namespace anclora::respond
