// What holds for every FileSystem.
#include "base/file_system.h"

#include <gtest/gtest.h>

#include "base/faulty_file_system.h"
#include "base/memory_file_system.h"
#include "base/testing/temporary_directory.h"

namespace anclora {
namespace {

struct OnDisk {
  FileSystem& file_system() { return posix_file_system(); }
  std::string root() const { return directory.path(); }
  TemporaryDirectory directory;
};

struct InMemory {
  FileSystem& file_system() { return memory; }
  std::string root() const { return ""; }
  MemoryFileSystem memory{system_clock()};
};

struct FaultyWithoutFaults {
  FileSystem& file_system() { return faulty; }
  std::string root() const { return "/root"; }
  MemoryFileSystem memory{system_clock()};
  FaultyFileSystem faulty{memory};
  Status ready = memory.create_directories("/root");
};

template <class T>
class EveryFileSystem : public ::testing::Test {
 protected:
  FileSystem& fs() { return subject_.file_system(); }
  std::string at(const std::string& name) const { return subject_.root() + "/" + name; }
  void write(const std::string& name, ByteView bytes) {
    auto file = fs().create(at(name));
    ASSERT_TRUE(file.has_value()) << file.error().message();
    ASSERT_TRUE((*file)->append(bytes).has_value());
    ASSERT_TRUE((*file)->close().has_value());
  }
  T subject_;
};

using Subjects = ::testing::Types<OnDisk, InMemory, FaultyWithoutFaults>;
TYPED_TEST_SUITE(EveryFileSystem, Subjects);

TYPED_TEST(EveryFileSystem, ReadsWhatWasAppended) {
  auto file = this->fs().create(this->at("a")).value();
  ASSERT_TRUE(file->append("one").has_value());
  ASSERT_TRUE(file->append("two").has_value());
  ASSERT_TRUE(file->sync().has_value());
  ASSERT_TRUE(file->close().has_value());
  EXPECT_EQ(this->fs().read_all(this->at("a")).value(), "onetwo");
  const auto reader = this->fs().open(this->at("a")).value();
  EXPECT_EQ(reader->size_bytes(), 6U);
  EXPECT_EQ(reader->read(2, 3).value(), "etw");
  EXPECT_EQ(reader->read(6, 0).value(), "");
  EXPECT_EQ(reader->read(4, 3).error().kind(), ErrorKind::kDataLoss);
  EXPECT_EQ(reader->read(~std::uint64_t{0}, 3).error().kind(), ErrorKind::kDataLoss);
}

TYPED_TEST(EveryFileSystem, RefusesToCreateATakenName) {
  this->write("a", "first");
  EXPECT_EQ(this->fs().create(this->at("a")).error().kind(), ErrorKind::kAlreadyExists);
  EXPECT_EQ(this->fs().read_all(this->at("a")).value(), "first");
}

TYPED_TEST(EveryFileSystem, AnswersNotFoundForWhatIsMissing) {
  const std::string missing = this->at("no/such");
  EXPECT_EQ(this->fs().open(missing).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(this->fs().create(missing).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(this->fs().stat(missing).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(this->fs().list(missing).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(this->fs().remove(missing).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(this->fs().remove_directory(missing).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(this->fs().rename(missing, this->at("x")).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(this->fs().link(missing, this->at("x")).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(this->fs().sync_directory(missing).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(this->fs().touch(missing).error().kind(), ErrorKind::kNotFound);
  EXPECT_NE(this->fs().open(missing).error().message().find(missing), std::string::npos);
}

TYPED_TEST(EveryFileSystem, LimitsHowMuchItReads) {
  this->write("a", "12345");
  EXPECT_EQ(this->fs().read_all(this->at("a"), 4).error().kind(), ErrorKind::kResourceExhausted);
  EXPECT_EQ(this->fs().read_all(this->at("a"), 5).value(), "12345");
}

TYPED_TEST(EveryFileSystem, LinksWithoutReplacing) {
  this->write("a", "A");
  this->write("b", "B");
  EXPECT_EQ(this->fs().link(this->at("a"), this->at("b")).error().kind(), ErrorKind::kAlreadyExists);
  ASSERT_TRUE(this->fs().link(this->at("a"), this->at("c")).has_value());
  ASSERT_TRUE(this->fs().remove(this->at("a")).has_value());
  EXPECT_EQ(this->fs().read_all(this->at("c")).value(), "A");
  EXPECT_EQ(this->fs().read_all(this->at("b")).value(), "B");
}

TYPED_TEST(EveryFileSystem, RenamesOverWhatIsThere) {
  this->write("a", "A");
  this->write("b", "B");
  ASSERT_TRUE(this->fs().rename(this->at("a"), this->at("b")).has_value());
  EXPECT_EQ(this->fs().read_all(this->at("b")).value(), "A");
  EXPECT_EQ(this->fs().stat(this->at("a")).error().kind(), ErrorKind::kNotFound);
}

TYPED_TEST(EveryFileSystem, ReadsAFileThatWasRemovedWhileOpen) {
  this->write("a", "A");
  const auto reader = this->fs().open(this->at("a")).value();
  ASSERT_TRUE(this->fs().remove(this->at("a")).has_value());
  EXPECT_EQ(reader->read(0, 1).value(), "A");
}

TYPED_TEST(EveryFileSystem, ListsSortedWithSizesAndTypes) {
  ASSERT_TRUE(this->fs().create_directories(this->at("d/deep/er")).has_value());
  ASSERT_TRUE(this->fs().create_directories(this->at("d/deep")).has_value());
  this->write("d/z", "");
  this->write("d/a", "abc");
  const auto entries = this->fs().list(this->at("d")).value();
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].name, "a");
  EXPECT_EQ(entries[0].size_bytes, 3U);
  EXPECT_TRUE(entries[0].is_regular);
  EXPECT_EQ(entries[1].name, "deep");
  EXPECT_TRUE(entries[1].is_directory);
  EXPECT_FALSE(entries[1].is_regular);
  EXPECT_EQ(entries[2].name, "z");
  EXPECT_EQ(this->fs().stat(this->at("d/a")).value().size_bytes, 3U);
  EXPECT_TRUE(this->fs().stat(this->at("d")).value().is_directory);
}

TYPED_TEST(EveryFileSystem, RemovesOnlyEmptyDirectories) {
  ASSERT_TRUE(this->fs().create_directories(this->at("d")).has_value());
  this->write("d/a", "");
  EXPECT_EQ(this->fs().remove_directory(this->at("d")).error().kind(), ErrorKind::kFailedPrecondition);
  ASSERT_TRUE(this->fs().remove(this->at("d/a")).has_value());
  ASSERT_TRUE(this->fs().remove_directory(this->at("d")).has_value());
  EXPECT_FALSE(this->fs().stat(this->at("d")).has_value());
}

TYPED_TEST(EveryFileSystem, DoesNotPutADirectoryOverAFile) {
  this->write("f", "");
  EXPECT_EQ(this->fs().create_directories(this->at("f")).error().kind(), ErrorKind::kAlreadyExists);
  EXPECT_FALSE(this->fs().open(this->at("")).has_value());
}

TYPED_TEST(EveryFileSystem, LetsOneHolderLock) {
  auto first = this->fs().lock(this->at("lock"));
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(this->fs().lock(this->at("lock")).error().kind(), ErrorKind::kFailedPrecondition);
  first->reset();
  EXPECT_TRUE(this->fs().lock(this->at("lock")).has_value());
}

TYPED_TEST(EveryFileSystem, TouchMovesTheModificationTime) {
  this->write("a", "");
  const WallTime before = this->fs().stat(this->at("a")).value().modified;
  system_clock().sleep_for(std::chrono::milliseconds(20));
  ASSERT_TRUE(this->fs().touch(this->at("a")).has_value());
  EXPECT_GT(this->fs().stat(this->at("a")).value().modified, before);
}

TYPED_TEST(EveryFileSystem, ResolvesAPath) {
  ASSERT_TRUE(this->fs().create_directories(this->at("d")).has_value());
  this->write("a", "");
  EXPECT_EQ(this->fs().resolve(this->at("d/.././a")).value(), this->fs().resolve(this->at("a")).value());
  EXPECT_EQ(this->fs().resolve(this->at("none")).error().kind(), ErrorKind::kNotFound);
}

TYPED_TEST(EveryFileSystem, KnowsTheFreeSpace) { EXPECT_GT(this->fs().free_bytes(this->at("")).value(), 0U); }

}  // namespace
}  // namespace anclora
