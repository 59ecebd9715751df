#include "respond/testing/engine_world.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "respond/runbook/run_folder.h"

namespace anclora::respond::testing {

RunWorld EngineWorld::world(FileSystem& files) {
  return {files, real_clock != nullptr ? *real_clock : clock, random, actions, {}, claim, {}, stop, !threads};
}

RunPlan EngineWorld::run_plan() const {
  auto run = prepare_run(plan, "s", RunPart::kRecovery, ScriptedActions::schema);
  if (!run) ADD_FAILURE() << run.error().to_string();
  return run ? *run : RunPlan{};
}

Result<RunEnd> EngineWorld::start(FileSystem& files) {
  ASSIGN_OR_RETURN(auto live, start_run(world(files), kFolder, plan, "the plan", run_plan(), begin));
  ASSIGN_OR_RETURN(const auto lock, lock_run(files, kFolder));
  return RunEngine(std::shared_ptr<LiveRun>(std::move(live)), kFolder, options).run();
}

Result<RunEnd> EngineWorld::resume(FileSystem& files, bool taken_over) {
  ASSIGN_OR_RETURN(const auto lock, lock_run(files, kFolder));
  ASSIGN_OR_RETURN(const JournalContent journal, read_journal(files, kFolder));
  const RunResume how{"host:2", 1, taken_over};
  ASSIGN_OR_RETURN(auto live, resume_run(world(files), kFolder, plan, run_plan(), journal, how));
  return RunEngine(std::shared_ptr<LiveRun>(std::move(live)), kFolder, options).run();
}

void EngineWorld::ask(RequestKind kind, const std::string& step, const std::string& contact, const std::string& text) {
  const auto id = submit_request(disk, kFolder, {"", kind, step, contact, text}, clock, random);
  if (!id) ADD_FAILURE() << id.error().to_string();
  clock.advance(std::chrono::milliseconds(1));
}

std::vector<RunRecord> EngineWorld::records() {
  auto journal = read_journal(disk, kFolder);
  if (!journal) ADD_FAILURE() << journal.error().to_string();
  return journal ? journal->records : std::vector<RunRecord>();
}

RunState EngineWorld::state() {
  JournalContent content;
  content.records = records();
  auto state = replay(run_plan(), content);
  if (!state) ADD_FAILURE() << state.error().to_string();
  return state ? *state : initial_state(run_plan());
}

std::string EngineWorld::refusal() {
  std::string text;
  for (const RunRecord& record : records())
    if (record.kind == RecordKind::kRequestRefused) text = record.text;
  return text;
}

}  // namespace anclora::respond::testing
