#include "protect/restore/partial_restore.h"

#include <gtest/gtest.h>

#include "base/posix_file_system.h"
#include "base/testing/temporary_directory.h"
#include "protect/restore/directory_target.h"
#include "protect/restore/rdb_target.h"
#include "protect/testing/source_builder.h"

namespace anclora::protect {
namespace {

std::vector<std::string> names_in(const std::string& path) {
  const auto entries = posix_file_system().list(path);
  std::vector<std::string> names;
  for (const FileInfo& info : *entries) names.push_back(info.name);
  return names;
}

void write_file(const std::string& path, ByteView text) {
  const auto file = posix_file_system().create(path);
  ASSERT_TRUE(file.has_value() && (*file)->append(text).has_value() && (*file)->close().has_value());
}

TEST(PartialRestore, OfAKilledProcessIsRemovedAndOneThatIsWrittenIsLeftAlone) {
  SourceBuilder source;
  source.open_timeline(redis::Offset{0}, WallTime());
  source.base(empty_rdb(), WallTime());
  source.command({"SET", "k", "v"}, WallTime());
  source.seal();

  const TemporaryDirectory folder;
  FileSystem& files = posix_file_system();
  for (const char* name :
       {"data.partial-0123abcd", "data.partial-beef0000", "data.partial-own", "other.partial-0123abcd"})
    ASSERT_TRUE(files.create_directories((folder / name) + "/appendonlydir").has_value());
  write_file(folder / "data.partial-0123abcd/appendonlydir/appendonly.aof.1.base.rdb", "half a base");
  write_file(folder / "data.partial-00000001", "half an rdb");
  const auto held = files.lock((folder / "data.partial-beef0000/") + std::string(kPartialLock));
  ASSERT_TRUE(held.has_value());

  const auto outcome = restore_to_directory(source.input({source.timeline(), source.end()}), files, source.random(),
                                            folder / "data", {});
  ASSERT_TRUE(outcome.has_value()) << outcome.error().to_string();
  ASSERT_EQ(outcome->notes.size(), 3u);
  EXPECT_NE(outcome->notes[0].find("data.partial-00000001"), std::string::npos) << outcome->notes[0];
  EXPECT_NE(outcome->notes[2].find("another restore is writing"), std::string::npos) << outcome->notes[2];
  EXPECT_EQ(names_in(folder.path()),
            (std::vector<std::string>{"data", "data.partial-beef0000", "data.partial-own", "other.partial-0123abcd"}));
  EXPECT_EQ(names_in(folder / "data"), std::vector<std::string>{"appendonlydir"});
}

TEST(PartialRestore, AFileThatWasTakenAwayAndMadeAgainIsNotGivenTheTargetsName) {
  SourceBuilder source;
  source.open_timeline(redis::Offset{0}, WallTime());
  source.base(empty_rdb(), WallTime());
  const TemporaryDirectory folder;
  FileSystem& files = posix_file_system();
  // As if another restore removed it before it was locked, and the lock made an empty one.
  const auto swap = [&](const RestoreProgress&) {
    for (const std::string& name : names_in(folder.path())) {
      ASSERT_TRUE(files.remove(folder / name).has_value());
      write_file(folder / name, "");
    }
  };
  RestoreInput input = source.input({source.timeline(), redis::Offset{0}});
  RestorePlan plan;
  plan.route = input.route;
  const auto outcome = restore_to_rdb(std::move(input), plan, {folder / "dump.rdb", {}}, {},
                                      {files, source.clock(), source.random(), system_dialer()}, swap);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().kind(), ErrorKind::kUnavailable) << outcome.error().to_string();
  EXPECT_FALSE(files.stat(folder / "dump.rdb").has_value());
}

}  // namespace
}  // namespace anclora::protect
