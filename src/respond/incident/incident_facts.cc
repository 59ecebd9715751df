#include "respond/incident/incident_facts.h"

#include <algorithm>

#include "respond/incident/incident_timeline.h"
#include "respond/report/collect_run_facts.h"

namespace anclora::respond {
namespace {

ReportFacts facts_of_runs(const std::vector<ReportFacts>& runs) {
  if (runs.empty()) return {};
  std::size_t chosen = runs.size() - 1;
  for (std::size_t i = runs.size(); i-- > 0;) {
    if (runs[i].state != "finished") continue;
    chosen = i;
    break;
  }
  ReportFacts facts = runs[chosen];
  for (std::size_t i = 0; i < runs.size(); ++i)
    if (i != chosen) add_run_facts(facts, runs[i]);
  return facts;
}

void add_person(ReportFacts& facts, const plan::Plan& plan, const std::string& id, const char* part) {
  if (id.empty()) return;
  const auto contact = std::ranges::find(plan.contacts, id, &plan::Contact::id);
  facts.people.push_back({id, contact == plan.contacts.end() ? "" : contact->name, part});
}

// When it began and was found, where detection saw it and no run says it.
void add_marks(ReportFacts& facts, const IncidentState& state) {
  for (const IncidentVerdict& verdict : state.verdicts) {
    if (verdict.first_bad) facts.marks.emplace("t_out", *verdict.first_bad);
    facts.marks.emplace("t_det", verdict.time);
  }
}

void add_actions(ReportFacts& facts, const IncidentState& state) {
  for (const ActionItem& item : state.actions)
    facts.actions.push_back({item.id, item.text, item.owner, item.due, item.done ? "done" : "open"});
}

void add_deliveries(ReportFacts& facts, const IncidentState& state) {
  for (const IncidentDelivery& each : state.deliveries)
    facts.deliveries.push_back({each.time, each.contact, each.channel, each.state,
                                each.detail.empty() ? each.event : each.event + ": " + each.detail});
}

void add_words(ReportWords& words, const IncidentState& state) {
  if (!state.closing.empty()) words.resolution = state.closing;
  const auto of = [&](std::string_view part, std::string& text) {
    for (const WrittenText& each : state.written)
      if (each.part == part) text = each.text;
  };
  of("impact", words.impact);
  of("root_cause", words.root_cause);
  of("resolution", words.resolution);
  of("users_affected", words.users_affected);
  of("revenue_impact", words.revenue_impact);
  of("prevention", words.prevention);
  for (const WrittenText& each : state.written) {
    if (each.part == "went_well") words.went_well.push_back(each.text);
    if (each.part == "to_improve") words.to_improve.push_back(each.text);
  }
}

}  // namespace

void add_what_people_wrote(ReportFacts& facts, const IncidentState& state) {
  add_actions(facts, state);
  add_words(facts.words, state);
}

ReportFacts collect_incident_facts(const plan::Plan& plan, const IncidentContent& incident,
                                   const std::vector<ReportFacts>& runs, WallTime now) {
  const IncidentState& state = incident.state;
  ReportFacts facts = facts_of_runs(runs);
  facts.kind = ReportKind::kIncident;
  facts.id = state.id;
  facts.service = state.service;
  facts.scenario = state.scenario;
  for (const plan::Scenario& each : plan.scenarios)
    if (each.id == state.scenario) facts.title = each.title;
  facts.severity = state.severity;
  facts.state = state.open() ? "open" : "closed";
  if (!state.closing.empty()) facts.reasons.push_back(state.closing);
  facts.started = state.opened;
  facts.ended = state.closed;
  facts.plan_file = state.plan_file;
  facts.plan_hash = state.plan_hash;
  if (state.origin == "person") add_person(facts, plan, state.opened_by, "opened");
  for (const Acknowledgement& each : state.acknowledgements) add_person(facts, plan, each.contact, "acknowledged");
  add_marks(facts, state);
  for (ReportEvent& event : incident_timeline(incident, {})) facts.timeline.push_back(std::move(event));
  sort_timeline(facts);
  add_deliveries(facts, state);
  facts.evidence.push_back(
      {"incident_journal", state.id, to_hex(incident.tip), incident.count, "anclora incident show " + state.id});
  add_what_people_wrote(facts, state);
  facts.generated = now;
  return facts;
}

}  // namespace anclora::respond
