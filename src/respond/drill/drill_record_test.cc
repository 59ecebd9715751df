#include "respond/drill/drill_record.h"

#include <gtest/gtest.h>

#include "base/memory_file_system.h"
#include "respond/drill/drill_folder.h"

namespace anclora::respond {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr char kDrills[] = "/state/drills";

DrillRecord sample(const std::string& id) {
  DrillRecord record;
  record.id = id;
  record.scenario = "redis-lost";
  record.environment = "local";
  record.service = "shop";
  record.plan_file = "plan.yaml";
  record.plan_hash = "ab";
  record.starter = "ada";
  record.runner = "host:1";
  record.program = "0.1.0";
  record.inject_run = "run-1";
  record.recovery_run = "run-2";
  record.started = WallTime(seconds(1'800'000'000));
  record.ended = record.started + milliseconds(4321);
  record.passed = false;
  record.reasons = {"RTO 2 s misses the objective of 1 s"};
  record.objectives = {"critical", seconds(1), minutes(2), minutes(1)};
  record.achieved = {seconds(2), milliseconds(300), milliseconds(200),
                     seconds(1), milliseconds(500), milliseconds(1234),
                     17,         "beacon"};
  record.checks = {{"digest", "equal", true}, {"keys", "3 of 4", false}};
  record.steps = {{"recovery", "fence", "redis.fence", "done", milliseconds(7), "fenced"},
                  {"recovery", "flip", "traffic.flip", "pending", std::nullopt, ""}};
  record.cleanup = {true, "revived"};
  record.facts = {{"position", "1/77"}};
  return record;
}

struct Kept {
  ManualClock clock;
  MemoryFileSystem disk{clock};
  Kept() { EXPECT_TRUE(disk.create_directories(kDrills)); }
  void keep(const std::string& id) { ASSERT_TRUE(keep_drill_record(disk, kDrills, sample(id))); }
  std::string path(const std::string& id) const { return std::string(kDrills) + "/" + id + "/record.json"; }
  std::string text(const std::string& id) { return *disk.read_all(path(id)); }
  void write(const std::string& id, const std::string& text) {
    ASSERT_TRUE(disk.remove(path(id)));
    auto file = disk.create(path(id));
    ASSERT_TRUE(file && (*file)->append(text));
  }
  std::vector<std::string> damage() { return read_drills(disk, kDrills)->damage; }
};

TEST(DrillRecord, ComesBackAsItWasWritten) {
  DrillRecord record = sample("d-1");
  record.number = 3;
  Hash256 hash{};
  const std::string line = encode_drill_record(record, hash256("before"), hash);
  const auto decoded = decode_drill_record(line);
  ASSERT_TRUE(decoded) << decoded.error().message();
  EXPECT_EQ(decoded->previous, hash256("before"));
  EXPECT_EQ(decoded->hash, hash);
  EXPECT_EQ(decoded->record.achieved.rpo, Duration(milliseconds(1234)));
  EXPECT_EQ(decoded->record.achieved.rpo_writes, 17U);
  EXPECT_EQ(decoded->record.objectives.rto_max, Duration(minutes(2)));
  EXPECT_EQ(decoded->record.steps[0].took, Duration(milliseconds(7)));
  EXPECT_FALSE(decoded->record.steps[1].took);
  EXPECT_FALSE(decoded->record.checks[1].passed);
  Hash256 again{};
  EXPECT_EQ(encode_drill_record(decoded->record, decoded->previous, again), line);
}

TEST(DrillRecord, ARecordThatWouldBeTooLargeIsCutAndCanBeRead) {
  DrillRecord record = sample("d-1");
  const std::string loud(20'000, '\x01');  // six bytes each in JSON
  record.service = record.starter = loud;
  for (int i = 0; i < 1500; ++i) {
    record.reasons.push_back(loud);
    record.checks.push_back({loud, loud, false});
    record.steps.push_back({"recovery", loud, loud, "failed_paused", milliseconds(7), loud});
    record.facts[std::to_string(i) + loud] = loud;
    // Also when it only just does not fit.
    if (i % 97 != 0 && i != 1499) continue;
    Hash256 hash{};
    const std::string line = encode_drill_record(record, {}, hash);
    ASSERT_LE(line.size(), kMaxDrillRecordBytes);
    const auto decoded = decode_drill_record(line);
    ASSERT_TRUE(decoded) << decoded.error().message();
    EXPECT_EQ(decoded->record.id, "d-1");
    EXPECT_EQ(decoded->record.steps[0].summary, "fenced");
    EXPECT_EQ(decoded->record.facts.contains("cut"), i > 20) << i;
  }
}

TEST(DrillRecord, RefusesEveryChangedByte) {
  Hash256 hash{};
  const std::string line = encode_drill_record(sample("d-1"), {}, hash);
  for (std::size_t i = 0; i < line.size(); ++i) {
    std::string changed = line;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    ASSERT_FALSE(decode_drill_record(changed)) << i;
  }
  for (std::size_t size = 0; size < line.size(); ++size) ASSERT_FALSE(decode_drill_record(line.substr(0, size)));
}

TEST(DrillRecord, RecordsAreChainedAndNumbered) {
  Kept kept;
  for (const char* id : {"d-b", "d-a", "d-c"}) kept.keep(id);
  const auto ledger = read_drills(kept.disk, kDrills);
  ASSERT_TRUE(ledger);
  ASSERT_EQ(ledger->records.size(), 3U);
  EXPECT_EQ(ledger->records[0].id, "d-b");
  EXPECT_EQ(ledger->records[2].number, 3U);
  EXPECT_TRUE(ledger->damage.empty());
  EXPECT_EQ(keep_drill_record(kept.disk, kDrills, sample("d-a")).error().kind(), ErrorKind::kAlreadyExists);
}

TEST(DrillRecord, AChangedRecordShows) {
  Kept kept;
  for (const char* id : {"d-1", "d-2", "d-3"}) kept.keep(id);
  std::string text = kept.text("d-2");
  text.replace(text.find("\"passed\":false"), 14, "\"passed\":true ");
  kept.write("d-2", text);
  const auto damage = kept.damage();
  ASSERT_EQ(damage.size(), 2U);  // the record itself, and the hole that it leaves
  EXPECT_NE(damage[0].find("d-2/record.json: its hash does not fit"), std::string::npos) << damage[0];
  EXPECT_EQ(damage[1], "record 2 is missing");
}

TEST(DrillRecord, ARecordThatWasWrittenAnewWithAFittingHashBreaksTheChain) {
  Kept kept;
  for (const char* id : {"d-1", "d-2", "d-3"}) kept.keep(id);
  const auto before = decode_drill_record(kept.text("d-1").substr(0, kept.text("d-1").size() - 1));
  DrillRecord forged = sample("d-2");
  forged.number = 2;
  forged.passed = true;
  Hash256 hash{};
  kept.write("d-2", encode_drill_record(forged, before->hash, hash) + "\n");
  const auto damage = kept.damage();
  ASSERT_EQ(damage.size(), 1U);
  EXPECT_NE(damage[0].find("d-3: it does not follow"), std::string::npos) << damage[0];
}

TEST(DrillRecord, ARemovedRecordShowsAndTheNextIsKeptAllTheSame) {
  Kept kept;
  for (const char* id : {"d-1", "d-2", "d-3"}) kept.keep(id);
  ASSERT_TRUE(kept.disk.remove(kept.path("d-2")));
  EXPECT_EQ(kept.damage(), std::vector<std::string>{"record 2 is missing"});
  kept.keep("d-4");
  EXPECT_EQ(read_drills(kept.disk, kDrills)->records.back().number, 4U);
}

TEST(DrillRecord, ARecordCopiedFromAnotherDrillShows) {
  Kept kept;
  kept.keep("d-1");
  kept.keep("d-2");
  kept.write("d-2", kept.text("d-1"));
  ASSERT_EQ(kept.damage().size(), 1U);
  EXPECT_NE(kept.damage()[0].find("it is the record of d-1"), std::string::npos);
}

TEST(DrillFolder, ABegunDrillIsAbandonedOnceItsProcessIsGone) {
  Kept kept;
  BegunDrill begun;
  begun.id = "d-9";
  begun.scenario = "redis-lost";
  begun.recovery_run = "run-9";
  begun.started = WallTime(seconds(1'800'000'000));
  auto open = begin_drill(kept.disk, kDrills, begun, Bytes("version: 1\n"));
  ASSERT_TRUE(open) << open.error().message();
  EXPECT_TRUE(find_abandoned(kept.disk, kDrills)->empty());
  const auto running = *running_drills(kept.disk, kDrills);
  ASSERT_EQ(running.size(), 1U);
  EXPECT_EQ(running[0].id, "d-9");
  open->lock.reset();
  auto abandoned = find_abandoned(kept.disk, kDrills);
  ASSERT_EQ(abandoned->size(), 1U);
  EXPECT_EQ(abandoned->front().begun.recovery_run, "run-9");
  EXPECT_EQ(*read_drill_plan(kept.disk, abandoned->front().folder), "version: 1\n");
  kept.keep("d-9");
  abandoned->clear();
  EXPECT_TRUE(find_abandoned(kept.disk, kDrills)->empty());
}

TEST(DrillFolder, TwoDrillsDoNotShareASandbox) {
  Kept kept;
  auto first = lock_sandbox(kept.disk, kDrills, "a/../service", "local");
  ASSERT_TRUE(first) << first.error().message();
  const auto second = lock_sandbox(kept.disk, kDrills, "a/../service", "local");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind(), ErrorKind::kFailedPrecondition);
  EXPECT_NE(second.error().message().find("another drill runs"), std::string::npos);
  EXPECT_TRUE(lock_sandbox(kept.disk, kDrills, "a/../service", "staging"));
  EXPECT_TRUE(read_drills(kept.disk, kDrills)->damage.empty());
  first->reset();
  EXPECT_TRUE(lock_sandbox(kept.disk, kDrills, "a/../service", "local"));
}

TEST(DrillRecord, MissedAndUnmeasuredObjectivesAreReasons) {
  std::vector<std::string> reasons;
  const DrillObjectives wanted{"high", seconds(3), seconds(9), seconds(1)};
  DrillAchieved got;
  EXPECT_TRUE(judge_objectives({}, got, reasons));
  got.rto = seconds(3);
  got.rpo = seconds(1);
  EXPECT_TRUE(judge_objectives(wanted, got, reasons));
  got.rto = seconds(4);
  got.rpo.reset();
  EXPECT_FALSE(judge_objectives(wanted, got, reasons));
  ASSERT_EQ(reasons.size(), 2U);
  EXPECT_NE(reasons[0].find("misses the objective"), std::string::npos);
  EXPECT_NE(reasons[1].find("was not measured"), std::string::npos);
}

}  // namespace
}  // namespace anclora::respond
