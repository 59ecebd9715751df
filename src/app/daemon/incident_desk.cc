#include "app/daemon/incident_desk.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>

#include "app/cli/incident_site.h"
#include "app/daemon/state_folder.h"
#include "respond/runbook/step_context.h"

namespace anclora::app {
namespace {

constexpr Duration kSignalsKept = std::chrono::hours(1);
constexpr std::size_t kMostSignals = 50;
constexpr Duration kStillNews = std::chrono::hours(1);
constexpr std::string_view kOver = "over";  // what people are told in the end

// Before the name of each event: what is told after a relapse is told anew.
std::string event_prefix(const Relapses& relapses) {
  return relapses.count == 0 ? "" : fmt::format("again-{}/", relapses.count);
}
// An event of the time since the last relapse, without its prefix.
std::optional<std::string_view> own_event(std::string_view event, const Relapses& relapses) {
  const std::string prefix = event_prefix(relapses);
  if (!event.starts_with(prefix) || (prefix.empty() && event.starts_with("again-"))) return std::nullopt;
  return event.substr(prefix.size());
}

respond::ReferenceLookup lookup_of(const CommandContext& context) {
  return [&context](std::string_view reference) {
    return respond::resolve_reference(context.files, context.environment, reference);
  };
}

respond::IncidentRecord record_of(const respond::Signal& signal) {
  respond::IncidentRecord record(respond::IncidentKind::kSignal, {}, signal.title);
  record.fields = {{"source", signal.source},
                   {"name", signal.id.empty() ? signal.title : signal.id},
                   {"state", signal.firing ? "firing" : "resolved"}};
  return record;
}

const plan::Scenario* scenario_of(const plan::Plan& plan, const std::string& id) {
  const auto found = std::ranges::find(plan.scenarios, id, &plan::Scenario::id);
  return found == plan.scenarios.end() ? nullptr : &*found;
}

}  // namespace

Relapses relapses_of(const respond::IncidentState& incident, std::vector<WallTime> restored) {
  std::ranges::sort(restored);
  Relapses relapses;
  for (const WallTime& time : restored) {
    relapses.restored = time;
    const auto next = &time == &restored.back() ? WallTime::max() : *(&time + 1);
    const auto again = std::ranges::find_if(
        incident.verdicts, [&](const auto& verdict) { return verdict.time > time && verdict.time <= next; });
    if (again == incident.verdicts.end()) continue;
    ++relapses.count;
    relapses.since = again->time;
    relapses.restored.reset();
  }
  return relapses;
}

respond::EscalationFacts escalation_facts(const respond::IncidentState& incident, const std::vector<RunView>& active,
                                          const Relapses& relapses) {
  respond::EscalationFacts facts;
  facts.severity = incident.severity;
  facts.declared = relapses.since.value_or(incident.opened.value_or(incident.last_time));
  const auto counts = [&](WallTime time) { return !relapses.since || time >= *relapses.since; };
  for (const auto& verdict : incident.verdicts)
    if (counts(verdict.time) && verdict.first_bad && (!facts.out_since || *verdict.first_bad < *facts.out_since))
      facts.out_since = verdict.first_bad;
  for (const auto& acknowledgement : incident.acknowledgements)
    if (counts(acknowledgement.time))
      facts.acknowledged = std::max(facts.acknowledged.value_or(acknowledgement.time), acknowledgement.time);
  for (const auto& note : incident.notes)
    if (counts(note.time) && !note.contact.empty())
      facts.progress = std::max(facts.progress.value_or(note.time), note.time);
  for (const RunView& run : active)
    if (run.scenario == incident.scenario && run.forecast_seconds > 0)
      facts.forecast = Duration(static_cast<std::int64_t>(run.forecast_seconds * 1e6));
  facts.over = incident.closed ? incident.closed : relapses.restored;
  for (const auto& delivery : incident.deliveries) {
    const auto event = own_event(delivery.event, relapses);
    if (!event) continue;
    if (!delivery.level.empty()) facts.told.push_back({delivery.level, delivery.time});
    facts.told_over = facts.told_over || *event == kOver;
  }
  std::ranges::sort(facts.told, {}, &respond::EscalationFacts::Told::at);
  return facts;
}

IncidentDesk::IncidentDesk(const CommandContext& context, const plan::Plan& plan, const Bytes& plan_bytes)
    : context_(context),
      plan_(plan),
      plan_bytes_(plan_bytes),
      notifier_{plan,
                lookup_of(context),
                {context.clock, context.files, context.random, notify_limit_file(context.environment)}} {}

IncidentDesk::~IncidentDesk() {
  stopping_ = true;
  telling_.clear();
}

std::string IncidentDesk::root() const { return incidents_folder(context_); }

Result<IncidentDesk::Taken> IncidentDesk::take(const respond::RuleVerdict& verdict, const WhyNot& why_not) {
  const plan::Scenario* scenario = scenario_of(plan_, verdict.scenario);
  respond::NewIncident incident{verdict.scenario,
                                scenario == nullptr ? "" : scenario->severity,
                                plan_.service,
                                plan_.file,
                                plan_bytes_,
                                "detection",
                                "",
                                fmt::format("{}: {}", verdict.rule, fmt::join(verdict.evidence, "; "))};
  ASSIGN_OR_RETURN(const auto log, respond::IncidentLog::open_or_join(incident_world(context_), root(), incident));
  respond::IncidentRecord record(respond::IncidentKind::kVerdict, {},
                                 fmt::format("{}", fmt::join(verdict.evidence, "; ")));
  record.fields = {{"detection", verdict.rule}};
  ASSIGN_OR_RETURN(const respond::IncidentState state, log->state());
  const std::string not_started = why_not(state);
  if (!not_started.empty()) record.fields["not_started"] = not_started;
  if (verdict.out_since) record.fields["first_bad"] = format_rfc3339(*verdict.out_since);
  ASSIGN_OR_RETURN(const auto appended, log->append(std::move(record)));
  static_cast<void>(appended);
  const WallTime now = context_.clock.wall_now();
  for (const auto& [time, signal] : loose_signals_)
    if (now - time <= kSignalsKept) RETURN_IF_ERROR(log->append(record_of(signal)));
  loose_signals_.clear();
  return Taken{log->id(), not_started};
}

void IncidentDesk::take(const std::vector<respond::Signal>& signals) {
  bool kept = false;
  if (const auto ids = respond::list_incidents(context_.files, root())) {
    for (const std::string& id : *ids) {
      const auto log = respond::IncidentLog::open(incident_world(context_), root(), id);
      const auto state = log ? (*log)->state() : Result<respond::IncidentState>(log.error());
      if (!state || !state->open() || state->service != plan_.service) continue;
      for (const respond::Signal& signal : signals) kept = (*log)->append(record_of(signal)).has_value() || kept;
    }
  }
  if (kept) return;
  for (const respond::Signal& signal : signals) loose_signals_.emplace_back(context_.clock.wall_now(), signal);
  if (loose_signals_.size() > kMostSignals)
    loose_signals_.erase(loose_signals_.begin(), loose_signals_.end() - static_cast<std::ptrdiff_t>(kMostSignals));
}

void IncidentDesk::note(const std::string& incident, const std::string& text) {
  const auto log = respond::IncidentLog::open(incident_world(context_), root(), incident);
  const auto appended = log ? (*log)->append(respond::IncidentRecord(respond::IncidentKind::kNote, {}, text))
                            : Result<respond::IncidentRecord>(log.error());
  if (!appended) problem_ = appended.error().message();
}

Relapses IncidentDesk::relapses(const respond::IncidentState& incident) const {
  std::vector<WallTime> restored;
  for (const respond::LinkedRun& linked : incident.runs) {
    const auto run = ended_.find(linked.run);
    if (run != ended_.end() && run->second.completed && run->second.ended) restored.push_back(*run->second.ended);
  }
  return relapses_of(incident, std::move(restored));
}

respond::Message IncidentDesk::alert(const respond::IncidentState& incident, const std::vector<RunView>& runs,
                                     const Relapses& relapses) const {
  const plan::Scenario* scenario = scenario_of(plan_, incident.scenario);
  respond::Message message;
  message.urgency = respond::urgency_of(incident.severity);
  message.service = plan_.service;
  message.subject = fmt::format("{}: {}", plan_.service, scenario == nullptr ? incident.scenario : scenario->title);
  message.text = incident.summary;
  const auto* last = incident.verdicts.empty() ? nullptr : &incident.verdicts.back();
  if (relapses.count > 0)
    message.text = fmt::format("Again, after it was restored. {}: {}", last->detection, last->evidence);
  if (scenario != nullptr && !scenario->impact.empty()) message.text += "\nImpact: " + scenario->impact;
  for (const RunView& run : runs) {
    if (run.scenario != incident.scenario) continue;
    message.run = run.run;
    message.text += fmt::format("\nRun {} is {}.", run.run, run.state);
    for (const std::string& each : run.waits_for) message.text += "\nIt waits for " + each;
    if (!run.next_command.empty()) message.text += "\nNext: " + run.next_command;
  }
  if (message.run.empty() && last != nullptr && !last->not_started.empty())
    message.text += fmt::format("\nNothing was started: {}.", last->not_started);
  if (message.run.empty())
    message.text += fmt::format("\nNothing runs. Start it: anclora run start {} --plan {} --yes --as NAME",
                                incident.scenario, plan_.file);
  message.incident = incident.id;
  message.acknowledge = fmt::format("anclora incident ack {} --as NAME", incident.id);
  message.dedup_key = incident.id;
  message.at = context_.clock.wall_now();
  return message;
}

void IncidentDesk::tell(const respond::IncidentState& incident, const std::string& event, const std::string& level,
                        std::vector<std::string> contacts, respond::Message message) {
  if (contacts.empty() || !told_.insert(incident.id + "\n" + event).second) return;
  // A message may take a minute: never on the loop's thread.
  telling_.emplace_back([this, id = incident.id, event, level, to = std::move(contacts), text = std::move(message)] {
    const auto log = respond::IncidentLog::open(incident_world(context_), root(), id);
    respond::Notifier::Call call;
    call.contacts = to;
    call.cancelled = [this] { return stopping_.load(); };
    call.told = [&](const respond::Delivery& delivery) {
      respond::IncidentDelivery kept{event,
                                     level,
                                     delivery.contact,
                                     delivery.channel,
                                     delivery.index,
                                     std::string(to_string(delivery.state)),
                                     delivery.detail,
                                     delivery.attempts,
                                     {}};
      // What cannot be journaled has been said all the same.
      if (log) static_cast<void>((*log)->append(to_record(kept)));
    };
    notifier_.tell(call, text);
  });
}

void IncidentDesk::escalate(const respond::IncidentState& incident, const std::vector<RunView>& active) {
  const Relapses relapses = this->relapses(incident);
  const respond::EscalationFacts facts = escalation_facts(incident, active, relapses);
  const respond::Escalation next = respond::escalate(plan_, facts, context_.clock.wall_now());
  for (const respond::LevelCall& call : next.tell) {
    // Each round of a level is another event, so that it is told once and yet can be repeated.
    std::set<std::string> rounds;
    for (const auto& delivery : incident.deliveries)
      if (delivery.level == call.level->id && own_event(delivery.event, relapses)) rounds.insert(delivery.event);
    respond::Message message = alert(incident, active, relapses);
    message.text += fmt::format("\nYou are told because {}.", respond::to_string(call.why));
    if (!call.answer_wanted) message.acknowledge.clear();
    if (!rounds.empty()) message.kind = respond::MessageKind::kUpdate;
    tell(incident, fmt::format("{}escalation/{}/{}", event_prefix(relapses), call.level->id, rounds.size() + 1),
         call.level->id, call.level->contacts, std::move(message));
  }
  tell_it_is_over(incident, next.over, relapses);
}

void IncidentDesk::tell_it_is_over(const respond::IncidentState& incident, const std::vector<std::string>& levels,
                                   const Relapses& relapses) {
  std::vector<std::string> everybody;
  for (const plan::EscalationLevel& level : plan_.escalation) {
    if (std::ranges::find(levels, level.id) == levels.end()) continue;
    for (const std::string& contact : level.contacts)
      if (std::ranges::find(everybody, contact) == everybody.end()) everybody.push_back(contact);
  }
  if (everybody.empty()) return;
  respond::Message message = alert(incident, {}, relapses);
  message.kind = respond::MessageKind::kResolved;
  message.subject += incident.closed ? ": closed" : ": restored";
  message.text = incident.closed ? incident.closing
                                 : "The service is restored.\nThe incident stays open until a person closes it.";
  message.text += "\nSee: anclora incident show " + incident.id;
  message.acknowledge.clear();
  tell(incident, event_prefix(relapses) + std::string(kOver), "", std::move(everybody), std::move(message));
}

void IncidentDesk::tick(const std::string& id, const std::vector<RunView>& active) {
  const auto log = respond::IncidentLog::open(incident_world(context_), root(), id);
  const auto state = log ? (*log)->state() : Result<respond::IncidentState>(log.error());
  if (!state) {
    // One that was never opened is none: its process died on the way, or is on it.
    if (state.error().kind() != ErrorKind::kNotFound) problem_ = state.error().message();
    return;
  }
  const bool news = state->open() || context_.clock.wall_now() - *state->closed < kStillNews;
  if (state->service == plan_.service && news) escalate(*state, active);
  if (!state->open() || state->service != plan_.service) {
    done_.insert(id);  // a closed one is never opened again
    return;
  }
  ++open_;
  unacknowledged_ += state->acknowledgements.empty() ? 1 : 0;
}

void IncidentDesk::tick(const std::vector<RunView>& active) {
  open_ = unacknowledged_ = 0;
  problem_.clear();
  const auto ids = respond::list_incidents(context_.files, root());
  if (!ids) problem_ = ids.error().message();
  if (ids)
    for (const std::string& id : *ids)
      if (!done_.contains(id)) tick(id, active);
}

void IncidentDesk::run_ended(const RunView& run) { ended_[run.run] = run; }

}  // namespace anclora::app
