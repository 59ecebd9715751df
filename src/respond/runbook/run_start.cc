// Beginning a run and taking one up again: what run_engine.h says of start_run(), resume_run() and replay().
#include <fmt/format.h>

#include "respond/runbook/run_engine.h"
#include "respond/runbook/run_folder.h"

namespace anclora::respond {
namespace {

Status write_marks(LiveRun& run, const RunStart& start) {
  for (const auto& [name, time] : start.marks) {
    RunRecord mark;
    mark.kind = RecordKind::kMark;
    mark.fields = {{"name", name}, {"time", time}};
    RETURN_IF_ERROR(run.record(std::move(mark)));
  }
  return {};
}

// As a person's approval would stand in the journal, so that everything which reads one finds who declared it.
Status write_declaration(LiveRun& run, const std::string& rule) {
  if (rule.empty() || !run.run().declare) return {};
  RunRecord asked;
  asked.kind = RecordKind::kApprovalRequested;
  RETURN_IF_ERROR(run.record(std::move(asked)));
  RunRecord granted;
  granted.kind = RecordKind::kApprovalGranted;
  granted.actor = "rule/" + rule;
  granted.text = "declared by the plan: the rule has start: true";
  granted.fields = {{"policy", "start"}};
  return run.record(std::move(granted));
}

}  // namespace

Result<std::unique_ptr<LiveRun>> start_run(RunWorld world, const std::string& folder, plan::Plan plan,
                                           ByteView plan_bytes, RunPlan run, const RunStart& start) {
  FileSystem& files = world.files;
  RETURN_IF_ERROR(create_run_folder(files, folder, plan_bytes));
  ASSIGN_OR_RETURN(auto journal, RunJournal::open(files, folder, {}));
  RunRecord first;
  first.kind = RecordKind::kRunStarted;
  first.fields = {{"run", start.run},
                  {"scenario", run.scenario},
                  {"part", std::string(to_string(run.part))},
                  {"environment", start.environment},
                  {"drill", start.drill ? "yes" : "no"},
                  {"starter", start.starter},
                  {"runner", start.runner},
                  {"generation", std::to_string(start.generation)},
                  {"service", plan.service},
                  {"plan_file", plan.file},
                  {"plan_hash", to_hex(hash256(plan_bytes))},
                  {"rto", run.rto > Duration::zero() ? format_duration(run.rto) : ""},
                  {"rto_max", run.rto_max > Duration::zero() ? format_duration(run.rto_max) : ""}};
  RunState state = initial_state(run);
  auto live = std::make_unique<LiveRun>(std::move(world), std::move(plan), std::move(run), std::move(journal),
                                        std::move(state));
  RETURN_IF_ERROR(live->record(std::move(first)));
  RETURN_IF_ERROR(write_marks(*live, start));
  RETURN_IF_ERROR(write_declaration(*live, start.declared_by));
  return live;
}

Result<RunState> replay(const RunPlan& run, const JournalContent& journal) {
  RunState state = initial_state(run);
  for (const RunRecord& record : journal.records) RETURN_IF_ERROR(apply(run, state, record));
  return state;
}

Result<std::unique_ptr<LiveRun>> resume_run(RunWorld world, const std::string& folder, plan::Plan plan, RunPlan run,
                                            const JournalContent& journal, const RunResume& resume) {
  FileSystem& files = world.files;
  ASSIGN_OR_RETURN(RunState state, replay(run, journal));
  ASSIGN_OR_RETURN(const Bytes plan_bytes, read_frozen_plan(files, folder));
  if (to_hex(hash256(plan_bytes)) != state.plan_hash)
    return Error(ErrorKind::kFailedPrecondition, folder + "/plan.yaml is not the plan that this run began with",
                 "bring the frozen plan back, or start a new run");
  if (resume.generation < state.generation)
    return Error(ErrorKind::kFenced,
                 fmt::format("generation {} is older than the run's {}", resume.generation, state.generation));
  ASSIGN_OR_RETURN(auto writer, RunJournal::open(files, folder, journal));
  RunRecord record;
  record.kind = RecordKind::kRunResumed;
  record.fields = {{"runner", resume.runner},
                   {"generation", std::to_string(resume.generation)},
                   {"taken_over", resume.taken_over ? "yes" : "no"}};
  if (journal.torn_bytes > 0) record.fields["cut_bytes"] = std::to_string(journal.torn_bytes);
  auto live =
      std::make_unique<LiveRun>(std::move(world), std::move(plan), std::move(run), std::move(writer), std::move(state));
  RETURN_IF_ERROR(live->record(std::move(record)));
  return live;
}

}  // namespace anclora::respond
