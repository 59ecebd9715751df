#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/copied_command.h"
#include "app/cli/drill_site.h"
#include "app/cli/error_report.h"
#include "app/cli/json_text.h"
#include "app/cli/plan_repository.h"
#include "app/cli/run_clean.h"
#include "app/cli/run_report_command.h"
#include "app/cli/run_site.h"
#include "app/view/run_report.h"
#include "plan/lint/plan_lookup.h"
#include "plan/read_plan.h"
#include "respond/detect/beacon_writer.h"
#include "respond/runbook/dry_run.h"
#include "respond/runbook/run_folder.h"
#include "respond/runbook/step_context.h"

namespace anclora::app {
namespace {

constexpr Duration kAnswerWithin = std::chrono::seconds(30);  // a loaded machine is the usual one in a disaster
constexpr Duration kFirstBeatWithin = std::chrono::seconds(2);

struct Arguments {
  std::string scenario, plan, kept_plan, environment, contact, outage, detected, run, step, text, retry, rule, named;
  bool dry_run = false, yes = false, no_wait = false, verify = false, take_over = false, refuse = false, inject = false;
};

Result<const plan::Environment*> find_environment(const plan::Plan& plan, const std::string& id) {
  if (id.empty()) return nullptr;
  for (const plan::Environment& environment : plan.environments)
    if (environment.id == id) return &environment;
  return Error(ErrorKind::kNotFound, fmt::format("{} has no environment {}", plan.file, id),
               fmt::format("it has: {}", fmt::join(plan::ids_in(plan.environments), ", ")));
}

Status check_contact(const plan::Plan& plan, const std::string& contact, bool needed) {
  if (plan::find_contact(plan, contact) != nullptr || (contact.empty() && !needed)) return {};
  return Error(
      ErrorKind::kInvalidArgument,
      contact.empty() ? "who starts this is not said" : fmt::format("the plan has no contact {}", contact),
      fmt::format("say who you are with --as; the plan's contacts: {}", fmt::join(plan::ids_in(plan.contacts), ", ")));
}

// A detection rule stands for the person who starts: only one that leads to this scenario does. The rule's id when its
// policy is the declaration, too; empty: persons declare.
Result<std::string> declaring_rule(const plan::Plan& plan, const std::string& rule, const std::string& scenario) {
  if (rule.empty()) return std::string();
  const auto found = std::ranges::find(plan.detections, rule, &plan::Detection::id);
  if (found != plan.detections.end() && found->scenario == scenario) return found->start ? rule : std::string();
  return Error(ErrorKind::kInvalidArgument, fmt::format("the plan has no detection rule {} for {}", rule, scenario),
               "say who you are instead: --as NAME");
}

Result<int> print_dry_run(CommandContext& context, const plan::Plan& plan, const respond::RunPlan& run,
                          const std::string& environment, bool drill) {
  const auto actions = make_actions(context);
  const respond::RunWorld world{
      context.files, context.clock, context.random, *actions, context.environment, nullptr, {}, [] {
        return stop_requested();
      }};
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  std::vector<std::string> lacked;
  for (const respond::DryStep& step : respond::dry_run(world, plan, run, environment, drill)) {
    const char* done = step.done == respond::Done::kYes ? "yes" : step.done == respond::Done::kNo ? "no" : "unknown";
    list.push_back({{"id", step.id},
                    {"uses", step.uses},
                    {"needs", step.needs},
                    {"mutates", step.mutates},
                    {"done", done},
                    {"call", step.call},
                    {"current", step.current},
                    {"desired", step.desired},
                    {"problem", step.problem}});
    if (step.lacks_action) lacked.push_back(fmt::format("{} ({})", step.id, step.uses));
    if (context.options.json) continue;
    context.out << fmt::format("{} ({}){}\n", step.id, step.uses,
                               step.done == respond::Done::kYes ? ": done already" : "");
    if (!step.call.empty()) context.out << "  would call  " << step.call << "\n";
    if (!step.current.empty()) context.out << "  is          " << step.current << "\n";
    if (!step.desired.empty()) context.out << "  wanted      " << step.desired << "\n";
    if (!step.problem.empty()) context.out << "  not known   " << step.problem << "\n";
  }
  if (context.options.json) context.out << json_text({{"scenario", run.scenario}, {"steps", list}});
  if (lacked.empty()) return 0;
  // Not as an error's JSON: standard output has its one document already.
  return print_error(context,
                     Error(ErrorKind::kUnsupported,
                           fmt::format("it cannot be run: this version lacks the actions of {} of its steps: {}",
                                       lacked.size(), fmt::join(lacked, ", ")),
                           "anclora plan check names all such steps"));
}

// What is lost by a played disaster is measured by the beacons, which no watcher may be writing here.
Result<std::vector<std::unique_ptr<respond::BeaconWriter>>> beating(CommandContext& context, const plan::Plan& plan,
                                                                    const std::string& environment) {
  static const plan::Target kNone;
  const respond::PlanLookup lookup{[&](std::string_view id) -> const plan::Target& {
                                     const plan::Target* target = respond::find_target(plan, environment, id);
                                     return target != nullptr ? *target : kNone;
                                   },
                                   [&](std::string_view reference) {
                                     return respond::resolve_reference(context.files, context.environment, reference);
                                   }};
  ASSIGN_OR_RETURN(auto beacons, respond::start_beacons(plan, lookup, context.dialer, context.clock));
  for (const auto& beacon : beacons)
    if (!beacon->wait_for_beat(kFirstBeatWithin))
      context.err << "warning: a beacon cannot be written: what is lost will not be measured by it\n";
  return beacons;
}

// Two runs of one scenario would change the same servers, and a person's approval would reach only one of them. Also
// where serve has begun one that waits.
Status refuse_a_second(const CommandContext& context, const std::string& scenario) {
  ASSIGN_OR_RETURN(const auto runs, respond::list_runs(context.files, runs_folder(context)));
  for (const std::string& run : runs) {
    const auto stored = read_run(context, run);
    if (!stored)  // damage in an old run must not stop today's recovery
      context.err << "warning: nobody knows whether " << run << " is over: " << stored.error().message() << "\n";
    if (!stored || stored->state.over() || stored->state.drill || stored->run.scenario != scenario) continue;
    return Error(ErrorKind::kAlreadyExists, fmt::format("{} is being run already: {} is not over", scenario, run),
                 fmt::format("go on with it: anclora run status --run {0}; or end it: anclora run abort --run {0} "
                             "--as NAME --reason TEXT",
                             run));
  }
  return {};
}

Result<int> run_start(CommandContext& context, const Arguments& arguments) {
  const std::string& source = arguments.kept_plan.empty() ? arguments.plan : arguments.kept_plan;
  ASSIGN_OR_RETURN(ReadPlan read, read_plan_file(context, source, arguments.plan));
  plan::Plan& plan = read.plan;
  ASSIGN_OR_RETURN(const plan::Environment* environment, find_environment(plan, arguments.environment));
  const bool drill = environment != nullptr && environment->sandbox;
  const auto part = arguments.inject ? respond::RunPart::kInject : respond::RunPart::kRecovery;
  const auto lacked = arguments.dry_run ? respond::LackedActions::kShown : respond::LackedActions::kRefused;
  ASSIGN_OR_RETURN(respond::RunPlan run,
                   respond::prepare_run(plan, arguments.scenario, part, plan::find_action, lacked));
  if (arguments.dry_run) return print_dry_run(context, plan, run, arguments.environment, drill);
  if (arguments.inject && !drill)
    return Error(ErrorKind::kFailedPrecondition, "a disaster is played in a sandbox only",
                 "name an environment of the plan with `sandbox: true`: --on ENVIRONMENT");
  if (!drill && !arguments.yes)
    return Error(ErrorKind::kFailedPrecondition, fmt::format("{} would act on production", arguments.scenario),
                 "see what it would do with --dry-run, then repeat with --yes");
  ASSIGN_OR_RETURN(std::string declared_by, declaring_rule(plan, arguments.rule, arguments.scenario));
  RETURN_IF_ERROR(check_contact(plan, arguments.contact, !drill && arguments.rule.empty()));
  if (!drill) RETURN_IF_ERROR(refuse_a_second(context, arguments.scenario));
  std::vector<std::unique_ptr<respond::BeaconWriter>> beacons;
  if (arguments.inject) {
    ASSIGN_OR_RETURN(beacons, beating(context, plan, arguments.environment));
  }
  respond::RunStart start;
  if (!arguments.named.empty()) RETURN_IF_ERROR(respond::check_run_id(arguments.named));
  start.run = arguments.named.empty() ? respond::make_run_id(run.scenario, context.clock.wall_now(), context.random)
                                      : arguments.named;
  start.environment = arguments.environment;
  start.drill = drill;
  start.starter = arguments.contact;
  start.runner = runner_name();
  start.declared_by = std::move(declared_by);
  for (const auto& [name, text] : {std::pair("t_out", arguments.outage), std::pair("t_det", arguments.detected)}) {
    if (text.empty()) continue;
    ASSIGN_OR_RETURN(const WallTime time, parse_rfc3339(text));
    start.marks[name] = format_rfc3339(time);
  }
  return start_and_run(context, std::move(plan), read.bytes, std::move(run), std::move(start),
                       {drill && arguments.yes, !arguments.no_wait});
}

// A runner that ended while it was asked answers no more: what it would have said, or what becomes of the request.
Result<int> answer_in_its_place(CommandContext& context, const StoredRun& now, const respond::RunRequest& request) {
  if (now.state.over()) {
    const auto judged = respond::judge_request(now.plan, now.run, now.state, request, context.clock.wall_now());
    if (!judged) return judged.error();
  }
  return Error(ErrorKind::kFailedPrecondition, "the process that had this run ended before it answered",
               "the request is kept: anclora run resume --run " + now.state.run);
}

// The answer in the journal, once the runner has given it.
Result<int> wait_for_answer(CommandContext& context, const StoredRun& asked, const std::string& id,
                            const respond::RunRequest& request) {
  const MonoTime deadline = context.clock.mono_now() + kAnswerWithin;
  while (context.clock.mono_now() < deadline && !stop_requested()) {
    // Looked at before the journal: what a runner that is gone has written is there.
    ASSIGN_OR_RETURN(const StoredRun now, read_run(context, asked.state.run));
    ASSIGN_OR_RETURN(const respond::JournalContent journal, respond::read_journal(context.files, asked.folder));
    for (const respond::RunRecord& record : journal.records) {
      if (record.request != id) continue;
      if (record.kind != respond::RecordKind::kRequestRefused) {
        context.out << fmt::format("{} {}\n", to_string(record.kind), record.step);
        return 0;
      }
      const std::size_t hint = record.text.find("\nhint: ");
      return Error(ErrorKind::kFailedPrecondition, record.text.substr(0, hint),
                   hint == std::string::npos ? "" : record.text.substr(hint + 7));
    }
    if (!now.has_runner) return answer_in_its_place(context, now, request);
    context.clock.sleep_for(std::chrono::milliseconds(50));
  }
  return Error(ErrorKind::kDeadlineExceeded, "the runner has not answered yet", "look: anclora run status");
}

// Asks the runner; without one, tells at once whether it would be allowed, and leaves the request for the next runner.
Result<int> ask(CommandContext& context, const Arguments& arguments, respond::RequestKind kind) {
  ASSIGN_OR_RETURN(const std::string run, choose_run(context, arguments.run));
  ASSIGN_OR_RETURN(StoredRun stored, read_run(context, run));
  const respond::RunRequest request{"", kind, arguments.step, arguments.contact, arguments.text};
  if (!stored.has_runner) {
    const auto judged =
        respond::judge_request(stored.plan, stored.run, stored.state, request, context.clock.wall_now());
    if (!judged) return judged.error();
  }
  ASSIGN_OR_RETURN(const std::string id,
                   respond::submit_request(context.files, stored.folder, request, context.clock, context.random));
  if (stored.has_runner) return wait_for_answer(context, stored, id, request);
  const bool now = kind == respond::RequestKind::kUndo || kind == respond::RequestKind::kAbort;
  if (!now && arguments.retry.empty()) {
    context.out << CopiedCommands(context).complete(
        fmt::format("kept for the next runner: anclora run resume --run {}\n", run));
    return 0;
  }
  auto done = resume_and_run(context, std::move(stored), false, {arguments.yes, !arguments.no_wait && !now});
  // An aborted run is what was asked for.
  if (now && !done && done.error().kind() == ErrorKind::kCancelled && !stop_requested()) return 0;
  return done;
}

Error which_to_take_over(storage::ReadStore& store) {
  const auto runs = respond::list_copied_runs(store);
  if (!runs) return runs.error();
  if (runs->empty()) return Error(ErrorKind::kNotFound, store.describe() + " holds no copy of a run");
  return Error(ErrorKind::kInvalidArgument, "which run is to be taken over?",
               fmt::format("the newest in {}: --run {}", store.describe(), runs->front()));
}

Result<int> run_resume(CommandContext& context, Arguments arguments) {
  if (!arguments.retry.empty()) {
    arguments.step = arguments.retry;
    return ask(context, arguments, respond::RequestKind::kRetry);
  }
  if (!arguments.take_over) {
    ASSIGN_OR_RETURN(const std::string run, choose_run(context, arguments.run));
    ASSIGN_OR_RETURN(StoredRun stored, read_run(context, run));
    return resume_and_run(context, std::move(stored), false, {arguments.yes, !arguments.no_wait});
  }
  if (!arguments.run.empty()) RETURN_IF_ERROR(respond::check_run_id(arguments.run));
  ASSIGN_OR_RETURN(const auto store, context.open_store());
  ASSIGN_OR_RETURN(const storage::Repository repository, context.open_repository(*store));
  if (arguments.run.empty()) return which_to_take_over(*store);
  ASSIGN_OR_RETURN(const respond::CopiedRun copy, respond::fetch_run(*store, repository, arguments.run));
  ASSIGN_OR_RETURN(const plan::Plan plan, plan::read_kept_plan("the copy of the run's plan", copy.plan));
  RETURN_IF_ERROR(refuse_another_repository(context, plan));
  const std::string folder = runs_folder(context) + "/" + arguments.run;
  if (context.files.stat(folder)) {
    // What this machine has of the run is kept as evidence; the copy counts.
    ASSIGN_OR_RETURN(const auto lock, respond::lock_run(context.files, folder));
    RETURN_IF_ERROR(context.files.rename(
        folder, fmt::format("{}.before-{}", folder, context.clock.wall_now().time_since_epoch().count())));
  }
  RETURN_IF_ERROR(respond::plant_run(context.files, folder, copy));
  ASSIGN_OR_RETURN(StoredRun stored, read_run(context, arguments.run));
  return resume_and_run(context, std::move(stored), true, {arguments.yes, !arguments.no_wait});
}

// Nothing, or how the copy in the repository differs.
Status compare_with_copy(const CommandContext& context, const StoredRun& stored) {
  ASSIGN_OR_RETURN(const auto repository, open_run_repository(context, stored.plan, stored.state.environment));
  if (!repository) return {};
  const auto copy = respond::fetch_run(*repository->store, repository->repository, stored.state.run);
  if (!copy) return copy.error().kind() == ErrorKind::kNotFound ? Status() : Status(copy.error());
  const std::size_t shared = std::min(copy->lines.size(), stored.journal.lines.size());
  for (std::size_t i = 0; i < shared; ++i)
    if (copy->lines[i] != stored.journal.lines[i])
      return Error(ErrorKind::kDataLoss, fmt::format("line {} differs from its copy in the repository", i + 1),
                   "one of them was changed, or another machine took the run over");
  if (copy->lines.size() <= stored.journal.lines.size()) return {};
  return Error(ErrorKind::kDataLoss,
               fmt::format("{} lines are missing here that the repository has", copy->lines.size() - shared),
               "lines were removed at the end, or another machine took the run over");
}

Result<int> run_status(CommandContext& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::string run, choose_run(context, arguments.run));
  ASSIGN_OR_RETURN(const StoredRun stored, read_run(context, run));
  if (arguments.verify) RETURN_IF_ERROR(compare_with_copy(context, stored));
  const RunReport report{stored.plan,
                         stored.run,
                         stored.state,
                         stored.has_runner,
                         context.clock.wall_now(),
                         past_durations_of(context, stored.plan, stored.run.scenario)};
  if (context.options.json) {
    nlohmann::ordered_json json = to_json(report);
    json["journal"] = {{"records", stored.journal.records.size()},
                       {"hash", to_hex(stored.journal.tip)},
                       {"compared_with_copy", arguments.verify}};
    context.out << json_text(json);
    return 0;
  }
  context.out << CopiedCommands(context).complete(to_text(report));
  if (arguments.verify)
    context.out << fmt::format("journal: {} records, the chain is whole, its end is {}\n",
                               stored.journal.records.size(), to_hex(stored.journal.tip));
  return 0;
}

using Arg = std::shared_ptr<Arguments>;

void add_run_option(CLI::App& command, const Arg& arguments) {
  command.add_option("--run", arguments->run, "the run's id (default: the newest on this machine)");
}

void add_decision(CLI::App& run, CommandContext& context, const char* name, const char* help, respond::RequestKind kind,
                  bool step_needed, const std::string& footer) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = run.add_subcommand(name, help);
  CLI::Option* step = command->add_option("step", arguments->step, "the step's id");
  if (step_needed) step->required();
  add_run_option(*command, arguments);
  command->add_option("--as", arguments->contact, "who you are: a contact's id in the plan")->required();
  if (kind == respond::RequestKind::kDone)
    command->add_option("--evidence", arguments->text, "what you saw that proves it")->required();
  else
    command->add_option("--reason", arguments->text, "why");
  if (kind == respond::RequestKind::kApprove)
    command->add_flag("--refuse", arguments->refuse, "refuse instead (needs --reason)");
  command->footer("Example: " + footer);
  command->callback([&context, arguments, kind] {
    context.action = [&context, arguments, kind] {
      return ask(context, *arguments, arguments->refuse ? respond::RequestKind::kRefuse : kind);
    };
  });
}

void add_start(CLI::App& run, CommandContext& context) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = run.add_subcommand("start", "run a scenario of the plan; stays until it is over");
  command->add_option("scenario", arguments->scenario, "the scenario's id")->required();
  command->add_option("--plan", arguments->plan, "the plan file")->required();
  command->add_option("--on", arguments->environment,
                      "an environment of the plan (default: what the plan's targets say)");
  command->add_option("--as", arguments->contact, "who starts it: a contact's id; cannot approve it");
  command->add_option("--since", arguments->outage, "when the outage began, RFC 3339 (default: now)");
  command->add_option("--detected", arguments->detected, "when it was detected, RFC 3339");
  command->add_flag("--dry-run", arguments->dry_run, "look only: each call it would make, current against desired");
  command->add_flag("--yes", arguments->yes, "act on production; in a sandbox: answer the approvals too");
  command->add_flag("--no-wait", arguments->no_wait, "end (exit code 5) when a person is needed");
  // Of serve: what began the run, the id that it is already known by, and the plan as serve read it.
  command->add_option("--rule", arguments->rule, "the detection rule that asks for it, in place of a person")
      ->group("");
  command->add_option("--named", arguments->named, "the run's id")->group("");
  command->add_option("--kept-plan", arguments->kept_plan, "what --plan held")->group("");
  command->add_flag("--inject", arguments->inject, "play the scenario's disaster instead, in a sandbox");
  command->footer("Example: anclora run start redis-lost --plan plans/local.yaml --as ada --dry-run");
  command->callback(
      [&context, arguments] { context.action = [&context, arguments] { return run_start(context, *arguments); }; });
}

void add_status(CLI::App& run, CommandContext& context) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = run.add_subcommand("status", "steps, clocks, forecast, who must act, and the next command");
  add_run_option(*command, arguments);
  command->add_flag("--verify", arguments->verify, "compare the journal with its copy in the repository too");
  command->footer("Example: anclora run status --json");
  command->callback(
      [&context, arguments] { context.action = [&context, arguments] { return run_status(context, *arguments); }; });
}

void add_resume(CLI::App& run, CommandContext& context) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = run.add_subcommand("resume", "go on with a run whose process is gone, or retry a step");
  add_run_option(*command, arguments);
  command->add_option("--retry", arguments->retry, "a failed or unknown step to try again (needs --as)");
  command->add_option("--as", arguments->contact, "who you are: a contact's id in the plan");
  command->add_option("--reason", arguments->text, "why");
  command->add_flag("--take-over", arguments->take_over,
                    "from another machine, by its copy in --repo (without --run: names the newest there)");
  command->add_flag("--yes", arguments->yes, "in a sandbox: answer the approvals");
  command->add_flag("--no-wait", arguments->no_wait, "end (exit code 5) when a person is needed");
  command->footer("Example: anclora run resume --run redis-lost-20261124T160504Z-1f3a --retry data --as ada");
  command->callback(
      [&context, arguments] { context.action = [&context, arguments] { return run_resume(context, *arguments); }; });
}

}  // namespace

void add_run_command(CLI::App& app, CommandContext& context) {
  CLI::App* run = app.add_subcommand("run", "run a scenario of the recovery plan, and decide what a person must");
  run->require_subcommand(1);
  run->footer("Example: anclora run start redis-lost --plan plan.yaml --as ada --dry-run");
  using enum respond::RequestKind;
  add_start(*run, context);
  add_status(*run, context);
  add_resume(*run, context);
  add_run_report_command(*run, context);
  add_run_clean(*run, context);
  add_decision(*run, context, "approve", "approve the scenario, or a step", kApprove, false,
               "anclora run approve flip --as bob");
  add_decision(*run, context, "skip", "leave a step out", kSkip, true,
               "anclora run skip tidy --as bob --reason 'not needed'");
  add_decision(*run, context, "done", "a step was done by hand", kDone, true,
               "anclora run done flip --as bob --evidence 'dig shows the new address'");
  add_decision(*run, context, "undo", "bring back what was before a step, or before the run", kUndo, false,
               "anclora run undo flip --as bob");
  add_decision(*run, context, "abort", "begin nothing more", kAbort, false,
               "anclora run abort --as bob --reason 'wrong scenario'");
}

}  // namespace anclora::app
