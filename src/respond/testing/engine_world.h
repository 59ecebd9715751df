// A run in one thread, in memory: start it, crash it, resume it, ask of it what a person would.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/memory_file_system.h"
#include "respond/runbook/run_engine.h"
#include "respond/testing/scripted_actions.h"

namespace anclora::respond::testing {

struct EngineWorld {
  explicit EngineWorld(plan::Plan what, std::uint64_t seed = 1) : plan(std::move(what)), random(seed) {}

  static constexpr char kFolder[] = "/runs/s-1";

  plan::Plan plan;
  ManualClock clock;
  SeededRandom random;
  MemoryFileSystem disk{clock};
  ScriptedActions actions;
  bool threads = false;  // real ones; the clock is then to be a real one
  Clock* real_clock = nullptr;
  RunClaim* claim = nullptr;
  std::function<bool()> stop;
  EngineOptions options{.approve_in_drills = false, .wait_for_persons = false};
  RunStart begin{.run = "s-1", .environment = "", .drill = false, .starter = "ada", .runner = "host:1", .marks = {}};

  RunPlan run_plan() const;
  // Until the run is over or needs a person.
  Result<RunEnd> start(FileSystem& files);
  Result<RunEnd> start() { return start(disk); }
  Result<RunEnd> resume(FileSystem& files, bool taken_over = false);
  Result<RunEnd> resume() { return resume(disk); }
  // Into the inbox; the next resume() answers it.
  void ask(RequestKind kind, const std::string& step, const std::string& contact, const std::string& text = "because");
  RunState state();
  std::vector<RunRecord> records();
  StepStatus step(const std::string& id) { return state().steps[*run_plan().index_of(id)]; }
  std::string refusal();  // the text of the last request.refused
  // Whether within `patience` nobody acts on this world any more: the threads of hung actions outlive start().
  bool wait_until_left(Duration patience = std::chrono::seconds(150));

 private:
  RunWorld world(FileSystem& files);
  std::shared_ptr<LiveRun> hold(std::unique_ptr<LiveRun> live);
  // Runs that an engine or a thread of a step holds still. The last to let go of one tells so after its end.
  std::shared_ptr<std::atomic<int>> held_ = std::make_shared<std::atomic<int>>(0);
};

}  // namespace anclora::respond::testing
