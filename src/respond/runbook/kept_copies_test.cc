#include "respond/runbook/kept_copies.h"

#include <gtest/gtest.h>

#include "base/memory_file_system.h"

namespace anclora::respond {
namespace {

using namespace std::chrono_literals;
using Paths = std::vector<std::string>;

const WallTime kEnd = *parse_rfc3339("2026-11-24T12:00:00Z");

struct EndedRun {
  RunPlan plan;
  RunState state;
  EndedRun() {
    plan.undo_window = 10min;
    for (const char* id : {"settings", "flip", "look"}) {
      plan::Step step;
      step.id = id;
      RunStep each;
      each.step = step;
      plan.steps.push_back(each);
    }
    state = initial_state(plan);
    state.run = "lost-1";
    state.finished = true;
    state.ended = kEnd;
    for (std::size_t i : {0, 1}) {
      state.steps[i].state = StepState::kDone;
      state.steps[i].kept["copy"] = kept_copy_path("/etc/web.env", "lost-1", plan.steps[i].step.id);
    }
  }
  Paths removable(Duration later, CopyPolicy policy = CopyPolicy::kNotNeeded) const {
    return removable_copies(plan, state, kEnd + later, policy);
  }
};
const Paths kBoth = {"/etc/web.env.before-lost-1-settings", "/etc/web.env.before-lost-1-flip"};

TEST(KeptCopies, GoOnceTheUndoWindowOfAFinishedRunIsOver) {
  const EndedRun run;
  EXPECT_EQ(run.removable(10min), Paths());  // an undo is allowed in this very moment
  EXPECT_EQ(run.removable(10min + 1us), kBoth);
}

TEST(KeptCopies, OfAnUndoneStepGoAtOnce) {
  EndedRun run;
  run.state.steps[1].state = StepState::kUndone;
  EXPECT_EQ(run.removable(0min), Paths{kBoth[1]});
}

TEST(KeptCopies, StayWhileTheRunGoesOnOrIsBeingUndone) {
  EndedRun run;
  run.state.steps[2].undo_requested = true;
  EXPECT_EQ(run.removable(24h, CopyPolicy::kAll), Paths());
  run.state.steps[2].undo_requested = false;
  run.state.finished = false;
  run.state.ended.reset();
  EXPECT_EQ(run.removable(24h, CopyPolicy::kAll), Paths());
}

TEST(KeptCopies, OfAnAbortedRunStayUntilTheyAreUndoneOrAPersonLetsThemGo) {
  EndedRun run;
  run.state.finished = false;
  run.state.aborted = true;
  EXPECT_EQ(run.removable(24h), Paths());  // an aborted run may be undone at any time
  EXPECT_EQ(run.removable(0min, CopyPolicy::kAll), kBoth);
}

TEST(KeptCopies, AreTheOnlyFilesThatAreEverRemoved) {
  EndedRun run;
  run.state.steps[0].kept["copy"] = "/etc/passwd";
  run.state.steps[1].kept["copy"] = kept_copy_path("/etc/web.env", "another-run", "flip");
  EXPECT_EQ(run.removable(24h), Paths());
}

TEST(KeptCopies, AreRemovedOnce) {
  ManualClock clock;
  MemoryFileSystem files(clock);
  ASSERT_TRUE(files.create_directories("/etc").has_value());
  ASSERT_TRUE(files.create(kBoth[0]).has_value());
  EXPECT_TRUE(remove_kept_copy(files, kBoth[0]).value());
  EXPECT_FALSE(remove_kept_copy(files, kBoth[0]).value());
}

}  // namespace
}  // namespace anclora::respond
