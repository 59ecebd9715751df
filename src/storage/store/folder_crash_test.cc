// The folder store on a file system that forgets what was not synced: every step fails or crashes in turn.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/faulty_file_system.h"
#include "base/memory_file_system.h"
#include "storage/store/folder_store.h"

namespace anclora::storage {
namespace {

using Kind = FileFault::Kind;

const std::vector<std::string> kNames = {"config", "sources/default/1/log/0000000001",
                                         "sources/default/1/log/0000000002", "sources/default/1/pack/1-2"};

std::string bytes_of(const std::string& name) { return "bytes of " + name + std::string(3000, '.'); }

// What a process that puts all names, in a new folder, was told.
std::map<std::string, PutOutcome> put_all(FileSystem& files, std::uint64_t seed) {
  SeededRandom random(seed);
  FolderStore store(files, random, "/srv/backup/repo");
  std::map<std::string, PutOutcome> told;
  for (const auto& name : kNames) {
    if (const auto outcome = store.put_if_absent(name, bytes_of(name)); outcome.has_value()) told[name] = *outcome;
  }
  return told;
}

// Whole or absent; and what was acknowledged, in either way, is there.
void expect_kept(FileSystem& files, const std::map<std::string, PutOutcome>& told, const std::string& trace) {
  SeededRandom random(99);
  FolderStore store(files, random, "/srv/backup/repo");
  const auto listing = store.list("", false);
  ASSERT_TRUE(listing.has_value()) << trace << listing.error().to_string();
  ASSERT_TRUE(listing->foreign.empty()) << trace;
  for (const auto& object : listing->objects) {
    ASSERT_EQ(store.get(object.name, kMiB).value(), bytes_of(object.name)) << trace << object.name;
  }
  for (const auto& [name, outcome] : told)
    ASSERT_TRUE(store.head(name).has_value()) << trace << name << " was acknowledged";
}

std::uint64_t count_operations() {
  ManualClock clock;
  MemoryFileSystem memory(clock);
  FaultyFileSystem faulty(memory);
  EXPECT_EQ(put_all(faulty, 1).size(), kNames.size());
  return faulty.operations();
}

// One run: fault at `operation`, then perhaps a second process that finds what the first left, then power off.
void run_once(std::uint64_t operation, Kind kind, CrashMode mode, bool second_process, std::uint64_t seed) {
  const std::string trace = fmt::format("operation {}, fault {}, crash mode {}, second {}, seed {}: ", operation,
                                        static_cast<int>(kind), to_string(mode), second_process, seed);
  ManualClock clock;
  MemoryFileSystem memory(clock);
  SeededRandom random(seed);
  FaultyFileSystem faulty(memory);
  faulty.plan({.operation = operation, .kind = kind});
  auto told = put_all(faulty, seed);
  if (second_process) {
    // The first died without a power cut: what it wrote is visible, synced or not.
    const auto again = put_all(memory, seed + 1);
    ASSERT_EQ(again.size(), kNames.size()) << trace;
    told.insert(again.begin(), again.end());
  }
  memory.crash(mode, random);
  expect_kept(memory, told, trace);
  const auto healed = put_all(memory, seed + 2);
  ASSERT_EQ(healed.size(), kNames.size()) << trace;
  for (const auto& [name, outcome] : told) ASSERT_EQ(healed.at(name), PutOutcome::kExists) << trace << name;
}

TEST(FolderStoreCrash, WhatWasAcknowledgedSurvivesAFaultAtAnyStepAndThenAPowerCut) {
  const std::uint64_t operations = count_operations();
  ASSERT_GT(operations, 20U);
  int runs = 0;
  for (std::uint64_t operation = 1; operation <= operations; ++operation) {
    for (const Kind kind : {Kind::kFailBefore, Kind::kFailAfter, Kind::kShortAppend, Kind::kCrash}) {
      for (const CrashMode mode : kAllCrashModes) {
        for (const bool second : {false, true}) {
          ++runs;
          ASSERT_NO_FATAL_FAILURE(run_once(operation, kind, mode, second, operation * 7 + 1));
        }
      }
    }
  }
  EXPECT_GT(runs, 500);
}

TEST(FolderStoreCrash, AFullDiskIsSaidAndLeavesNothingBehind) {
  ManualClock clock;
  MemoryFileSystem memory(clock);
  SeededRandom random(5);
  FolderStore store(memory, random, "/repo");
  ASSERT_TRUE(store.put_if_absent("a/1", std::string(1000, 'x')).has_value());
  memory.set_capacity(3 * kMiB / 2);
  const auto full = store.put_if_absent("a/2", std::string(2 * kMiB, 'x'));
  ASSERT_FALSE(full.has_value());
  EXPECT_EQ(full.error().kind(), ErrorKind::kResourceExhausted);
  EXPECT_NE(full.error().hint().find("expire"), std::string::npos);
  EXPECT_TRUE(memory.list("/repo/~tmp")->empty());
  EXPECT_EQ(store.list("", false)->objects.size(), 1U);
  // The model frees a removed file's bytes only when its directory is synced.
  ASSERT_TRUE(memory.sync_directory("/repo/~tmp").has_value());
  EXPECT_EQ(store.put_if_absent("a/2", std::string(kMiB, 'x')).value(), PutOutcome::kCreated);
}

TEST(FolderStoreCrash, TemporaryFilesOfTheDeadAreSwept) {
  ManualClock clock;
  MemoryFileSystem memory(clock);
  FaultyFileSystem faulty(memory);
  SeededRandom random(6);
  FolderStore dying(faulty, random, "/repo");
  ASSERT_TRUE(dying.put_if_absent("a", "x").has_value());
  faulty.plan({.operation = faulty.operations() + 3, .kind = Kind::kCrash});
  ASSERT_FALSE(dying.put_if_absent("b", "x").has_value());
  ASSERT_EQ(memory.list("/repo/~tmp")->size(), 1U);
  FolderStore next(memory, random, "/repo");
  EXPECT_EQ(next.sweep(std::chrono::hours(1)).value(), 0U);
  clock.advance(std::chrono::hours(2));
  EXPECT_EQ(next.sweep(std::chrono::hours(1)).value(), 1U);
  EXPECT_TRUE(memory.list("/repo/~tmp")->empty());
  EXPECT_EQ(next.get("a", 10).value(), "x");
}

}  // namespace
}  // namespace anclora::storage
