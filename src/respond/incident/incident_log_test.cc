#include "respond/incident/incident_log.h"

#include <gtest/gtest.h>

#include "base/faulty_file_system.h"
#include "base/memory_file_system.h"

namespace anclora::respond {
namespace {

constexpr char kRoot[] = "/state/incidents";

NewIncident redis_lost() {
  return {"redis-lost", "critical", "shop", "plan.yaml", "version: 1\n", "person", "ada", "the primary is gone"};
}

struct IncidentLogTest : ::testing::Test {
  ManualClock clock;
  SeededRandom random{7};
  MemoryFileSystem files{clock};
  IncidentWorld world{files, clock, random};

  std::unique_ptr<IncidentLog> begin() {
    auto log = IncidentLog::begin(world, kRoot, redis_lost());
    EXPECT_TRUE(log) << log.error().to_string();
    return std::move(*log);
  }
  std::unique_ptr<IncidentLog> open(const std::string& id) {
    auto log = IncidentLog::open(world, kRoot, id);
    EXPECT_TRUE(log) << log.error().to_string();
    return std::move(*log);
  }
  static IncidentRecord note(std::string text) { return IncidentRecord(IncidentKind::kNote, "ada", std::move(text)); }
};

TEST_F(IncidentLogTest, BeginsWithWhatWasSaidOfIt) {
  const auto log = begin();
  const auto content = read_incident(files, log->folder());
  ASSERT_TRUE(content) << content.error().to_string();
  EXPECT_EQ(content->state.id, log->id());
  EXPECT_EQ(content->state.severity, "critical");
  EXPECT_EQ(content->state.summary, "the primary is gone");
  EXPECT_EQ(content->state.plan_hash, to_hex(hash256("version: 1\n")));
  EXPECT_TRUE(content->state.open());
  EXPECT_EQ(*read_incident_plan(files, log->folder()), "version: 1\n");
  EXPECT_EQ(*list_incidents(files, kRoot), std::vector<std::string>{log->id()});
}

TEST_F(IncidentLogTest, TwoLogsAppendInTurnsToOneChain) {
  const auto first = begin();
  const auto second = open(first->id());
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE((i % 2 == 0 ? first : second)->append(note(std::to_string(i))));
    ASSERT_TRUE(second->append(note("again")));
  }
  const auto content = read_incident(files, first->folder());
  ASSERT_TRUE(content) << content.error().to_string();
  EXPECT_EQ(content->state.notes.size(), 12U);
  EXPECT_EQ(content->torn_bytes, 0U);
  EXPECT_EQ(first->state()->notes.size(), 12U);
}

TEST_F(IncidentLogTest, JoinsTheOpenIncidentOfItsScenarioOnly) {
  const auto first = begin();
  const auto joined = IncidentLog::open_or_join(world, kRoot, redis_lost());
  ASSERT_TRUE(joined);
  EXPECT_EQ((*joined)->id(), first->id());
  EXPECT_TRUE((*joined)->joined());
  NewIncident other = redis_lost();
  other.scenario = "corruption";
  EXPECT_NE((*IncidentLog::open_or_join(world, kRoot, other))->id(), first->id());
  EXPECT_EQ(IncidentLog::begin(world, kRoot, redis_lost()).error().kind(), ErrorKind::kAlreadyExists);
  ASSERT_TRUE(first->append(IncidentRecord(IncidentKind::kClosed, "ada", "over")));
  clock.advance(std::chrono::seconds(1));
  EXPECT_NE((*IncidentLog::open_or_join(world, kRoot, redis_lost()))->id(), first->id());
}

TEST_F(IncidentLogTest, TakesOnlyNotesAndActionsOnceItIsClosed) {
  const auto log = begin();
  ASSERT_TRUE(log->append(IncidentRecord(IncidentKind::kClosed, "ada", "over")));
  const auto late = log->append(IncidentRecord(IncidentKind::kAcknowledged, "bob"));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind(), ErrorKind::kFailedPrecondition);
  EXPECT_TRUE(log->append(note("afterwards")));
  EXPECT_EQ(log->state()->notes.size(), 1U);
  EXPECT_EQ(read_incident(files, log->folder())->records.size(), 3U);
}

TEST_F(IncidentLogTest, NamesTheIncidentsThereAre) {
  const auto log = begin();
  const auto missing = IncidentLog::open(world, kRoot, "inc-other");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind(), ErrorKind::kNotFound);
  EXPECT_NE(missing.error().hint().find(log->id()), std::string::npos);
  EXPECT_EQ(IncidentLog::open(world, kRoot, "../x").error().kind(), ErrorKind::kInvalidArgument);
}

TEST_F(IncidentLogTest, RefusesAWholeJournalOfAnotherIncident) {
  const auto one = begin();
  NewIncident another = redis_lost();
  another.scenario = "region-lost";
  const auto begun = IncidentLog::begin(world, kRoot, another);
  ASSERT_TRUE(begun) << begun.error().to_string();
  const auto& other = *begun;
  const std::string path = segment_path(one->folder(), 1);
  const std::string foreign = *files.read_all(segment_path(other->folder(), 1));
  ASSERT_TRUE(files.remove(path));
  auto file = files.create(path);
  ASSERT_TRUE((*file)->append(foreign));
  const auto content = read_incident(files, one->folder());
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().kind(), ErrorKind::kDataLoss);
  EXPECT_NE(content.error().message().find("another incident, " + other->id()), std::string::npos)
      << content.error().message();
}

TEST_F(IncidentLogTest, NamesFileAndLineOfAnyByteThatWasChanged) {
  const auto log = begin();
  ASSERT_TRUE(log->append(note("one")));
  ASSERT_TRUE(log->append(note("two")));
  const std::string path = segment_path(log->folder(), 1);
  const std::string whole = *files.read_all(path);
  std::size_t line = 1;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    ASSERT_TRUE(files.remove(path));
    auto file = files.create(path);
    ASSERT_TRUE((*file)->append(changed));
    const auto content = read_incident(files, log->folder());
    const bool last_newline = i + 1 == whole.size();
    if (content) {
      // Only the end may look torn: the last line is not counted then, and what is missing is told.
      ASSERT_GT(content->torn_bytes, 0U) << i;
      ASSERT_EQ(content->records.size(), 2U) << i;
    } else {
      ASSERT_EQ(content.error().kind(), ErrorKind::kDataLoss) << i;
      ASSERT_NE(content.error().message().find("journal-000001.jsonl:" + std::to_string(line) + ":"), std::string::npos)
          << i << content.error().message();
    }
    if (whole[i] == '\n' && !last_newline) ++line;
  }
}

TEST_F(IncidentLogTest, KeepsEveryAcknowledgedRecordThroughACrashAtEveryWrite) {
  for (const CrashMode mode : kAllCrashModes) {
    for (std::uint64_t operation = 1; operation <= 30; ++operation) {
      SeededRandom seeded(operation * 31 + static_cast<std::uint64_t>(mode));
      MemoryFileSystem disk(clock);
      ASSERT_TRUE(disk.create_directories("/state"));
      ASSERT_TRUE(disk.sync_directory("/"));
      FaultyFileSystem faulty(disk);
      faulty.plan({operation, FileFault::Kind::kCrash});
      std::size_t acknowledged = 0;
      std::string id;
      if (auto log = IncidentLog::begin({faulty, clock, seeded}, kRoot, redis_lost())) {
        id = (*log)->id();
        while (acknowledged < 4 && (*log)->append(note("n"))) ++acknowledged;
      }
      disk.crash(mode, seeded);
      const std::string where = std::string(to_string(mode)) + " " + faulty.last_fault();
      const IncidentWorld after{disk, clock, seeded};
      auto again = IncidentLog::open_or_join(after, kRoot, redis_lost());
      ASSERT_TRUE(again) << where << again.error().to_string();
      if (id.empty()) continue;  // was not told to anybody
      EXPECT_EQ((*again)->id(), id) << where;
      const std::size_t kept = (*again)->state()->notes.size();
      EXPECT_GE(kept, acknowledged) << where;
      EXPECT_LE(kept, acknowledged + 1) << where;
      ASSERT_TRUE((*again)->append(note("after"))) << where;
      EXPECT_EQ(read_incident(disk, (*again)->folder())->state.notes.size(), kept + 1) << where;
    }
  }
}

TEST_F(IncidentLogTest, GoesOnAfterAFailedSync) {
  FaultyFileSystem faulty(files);
  auto log = IncidentLog::begin({faulty, clock, random}, kRoot, redis_lost());
  ASSERT_TRUE(log);
  faulty.plan({faulty.operations() + 3, FileFault::Kind::kFailBefore});  // lock, append, sync
  EXPECT_FALSE((*log)->append(note("a")));
  ASSERT_TRUE((*log)->append(note("b")));
  const auto content = read_incident(files, (*log)->folder());
  ASSERT_TRUE(content) << content.error().to_string();
  EXPECT_EQ(content->state.notes.back().text, "b");
}

}  // namespace
}  // namespace anclora::respond
