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

std::shared_ptr<LiveRun> EngineWorld::hold(std::unique_ptr<LiveRun> live) {
  ++*held_;
  return {live.release(), [held = held_](LiveRun* run) {
            delete run;
            --*held;
          }};
}

bool EngineWorld::wait_until_left(Duration patience) {
  const MonoTime deadline = system_clock().mono_now() + patience;
  while (*held_ > 0 && system_clock().mono_now() < deadline) system_clock().sleep_for(std::chrono::milliseconds(2));
  return *held_ == 0;
}

Result<RunEnd> EngineWorld::start(FileSystem& files) {
  ASSIGN_OR_RETURN(auto live, start_run(world(files), kFolder, plan, "the plan", run_plan(), begin));
  ASSIGN_OR_RETURN(const auto lock, lock_run(files, kFolder));
  return RunEngine(hold(std::move(live)), kFolder, options).run();
}

Result<RunEnd> EngineWorld::resume(FileSystem& files, bool taken_over) {
  ASSIGN_OR_RETURN(const auto lock, lock_run(files, kFolder));
  ASSIGN_OR_RETURN(const JournalContent journal, read_journal(files, kFolder));
  const RunResume how{"host:2", 1, taken_over};
  ASSIGN_OR_RETURN(auto live, resume_run(world(files), kFolder, plan, run_plan(), journal, how));
  return RunEngine(hold(std::move(live)), kFolder, options).run();
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
