#include "respond/report/collect_drill_facts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "respond/testing/sample_reports.h"

namespace anclora::respond {
namespace {

using namespace std::chrono_literals;

DrillRecord restore_drill() {
  DrillRecord record;
  record.id = "drill-restore-1";
  record.scenario = "restore";
  record.environment = "scratch";
  record.starter = "ada";
  record.started = WallTime(1s);
  record.ended = WallTime(60s);
  record.passed = true;
  record.objectives.rto = 1min;
  record.objectives.rpo = 5min;
  record.achieved.rto = 40s;
  record.achieved.rpo = 2s;
  record.achieved.rpo_writes = 7;
  record.achieved.rpo_basis = "beacon";
  record.checks = {{"offset", "99", true}, {"separation", "no address is shared", true}};
  record.steps = {{"recovery", "restore", "redis.restore", "done", 40s, "1204 keys are back"}};
  record.cleanup = {true, "the scratch server is gone"};
  record.facts = {{"keys", "1204"}, {"point_time", "2026-11-24T10:00:00Z"}};
  return record;
}

Verdict verdict_of(const ReportFacts& facts, const char* id) {
  const auto found = std::ranges::find(facts.checks, id, &ReportCheck::id);
  return found == facts.checks.end() ? Verdict::kUnknown : found->verdict;
}

TEST(DrillFacts, OfARestoreComeFromItsRecordAlone) {
  const ReportFacts facts = collect_drill_facts(restore_drill(), {}, WallTime(2min));
  EXPECT_EQ(facts.state, "passed");
  EXPECT_EQ(facts.rto.met, Verdict::kPassed);
  ASSERT_EQ(facts.rpo.size(), 1U);
  EXPECT_EQ(facts.rpo[0].lost, Duration(2s));
  EXPECT_EQ(facts.rpo[0].writes, 7U);
  EXPECT_EQ(facts.rpo[0].proof, "beacon");
  EXPECT_EQ(facts.rpo[0].met, Verdict::kPassed);
  EXPECT_EQ(facts.steps.size(), 1U);
  EXPECT_EQ(facts.impact.front().value, "1204");
  EXPECT_EQ(facts.people.front().part, "tester");
  for (const char* id : {"backup_created", "sandbox_separate", "recovery_executed", "rto_measured", "cleaned_up"})
    EXPECT_EQ(verdict_of(facts, id), Verdict::kPassed) << id;
  EXPECT_EQ(verdict_of(facts, "lessons_documented"), Verdict::kUnknown);
  EXPECT_EQ(facts.timeline.front().kind, "drill.started");
}

TEST(DrillFacts, CallADrillWithoutAnAchievedRtoAMiss) {
  DrillRecord record = restore_drill();
  record.passed = false;
  record.interrupted = true;
  record.reasons = {"its process was killed"};
  record.achieved = {};
  record.cleanup.done = false;
  const ReportFacts facts = collect_drill_facts(record, {}, WallTime(2min));
  EXPECT_EQ(facts.state, "failed");
  EXPECT_EQ(facts.rto.met, Verdict::kFailed);
  EXPECT_EQ(facts.rpo[0].met, Verdict::kUnknown);
  EXPECT_EQ(verdict_of(facts, "recovery_executed"), Verdict::kFailed);
  EXPECT_EQ(verdict_of(facts, "cleaned_up"), Verdict::kFailed);
  EXPECT_EQ(facts.reasons, record.reasons);
}

TEST(DrillFacts, OfAScenarioKeepTheJournalOfItsRunAndAddWhatTheDrillDid) {
  DrillRecord record = restore_drill();
  record.recovery_run = "r1";
  record.inject_run = "i1";
  record.steps.push_back({"inject", "lose", "exec", "done", 1s, "lost"});
  record.steps.push_back({"cleanup", "revive", "exec", "done", 1s, "back"});
  const ReportFacts run = testing::passed_drill();
  const ReportFacts facts = collect_drill_facts(record, run, WallTime(2min));
  EXPECT_EQ(facts.steps.size(), run.steps.size() + 1);
  EXPECT_EQ(facts.steps.back().id, "revive");
  EXPECT_EQ(facts.timeline.size(), run.timeline.size() + 2);
  EXPECT_EQ(verdict_of(facts, "issue_simulated"), Verdict::kPassed);
  EXPECT_EQ(facts.rpo[0].data, "queue");
  EXPECT_EQ(facts.rpo[0].lost, Duration(2s));
  EXPECT_EQ(facts.people.front().id, "ada");
}

}  // namespace
}  // namespace anclora::respond
