#include "storage/store/folder_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/testing/temporary_directory.h"

namespace anclora::storage {
namespace {

using Names = std::vector<std::string>;

class FolderStoreTest : public ::testing::Test {
 protected:
  std::string root() const { return directory_ / "repo"; }
  std::string path(const std::string& name) const { return root() + "/" + name; }
  void write_file(const std::string& name, const std::string& bytes) { std::ofstream(path(name)) << bytes; }
  TemporaryDirectory directory_;
  FolderStore store_{posix_file_system(), system_random(), root()};
};

template <class T>
ErrorKind kind_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result.has_value() ? ErrorKind::kInternal : result.error().kind();
}

TEST_F(FolderStoreTest, ReadingAMissingFolderCreatesNothing) {
  EXPECT_EQ(kind_of(store_.get("config", 100)), ErrorKind::kNotFound);
  EXPECT_TRUE(store_.list("", false).has_value());
  EXPECT_FALSE(std::filesystem::exists(root()));
}

TEST_F(FolderStoreTest, AnObjectIsOnePrivateFileAndNoTemporaryFileStays) {
  ASSERT_EQ(store_.put_if_absent("a/b", "bytes").value(), PutOutcome::kCreated);
  struct ::stat facts = {};
  ASSERT_EQ(::stat(path("a/b").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  EXPECT_EQ(facts.st_nlink, 1U);
  EXPECT_TRUE(std::filesystem::is_empty(path("~tmp")));
}

TEST_F(FolderStoreTest, ForeignThingsAreToldAndNeverFollowed) {
  ASSERT_TRUE(store_.put_if_absent("d/object", "x").has_value());
  const std::string outside = directory_ / "outside";
  std::filesystem::create_directory(outside);
  std::ofstream(outside + "/secret") << "secret";
  ASSERT_EQ(::symlink(outside.c_str(), path("d/linked").c_str()), 0);
  ASSERT_EQ(::symlink((outside + "/secret").c_str(), path("d/file-link").c_str()), 0);
  ASSERT_EQ(::mkfifo(path("d/fifo").c_str(), 0600), 0);
  write_file("d/with space", "x");
  write_file("d/esc\x1b[2J", "x");
  std::filesystem::create_directory(path("d/bad dir"));
  write_file("d/bad dir/inside", "x");

  const Listing listing = store_.list("", false).value();
  ASSERT_EQ(listing.objects.size(), 1U);
  EXPECT_EQ(listing.objects[0].name, "d/object");
  EXPECT_EQ(listing.foreign,
            (Names{"d/bad dir", "d/esc\\x1b[2J", "d/fifo", "d/file-link", "d/linked", "d/with space"}));
  EXPECT_EQ(kind_of(store_.get("d/linked/secret", 100)), ErrorKind::kFailedPrecondition);
  EXPECT_EQ(kind_of(store_.get("d/file-link", 100)), ErrorKind::kNotFound);
  EXPECT_EQ(kind_of(store_.get_range("d/fifo", 0, 1)), ErrorKind::kNotFound);
  EXPECT_EQ(kind_of(store_.put_if_absent("d/linked/new", "x")), ErrorKind::kFailedPrecondition);
  EXPECT_EQ(kind_of(store_.put_if_absent("d/fifo", "x")), ErrorKind::kFailedPrecondition);
  EXPECT_TRUE(store_.list("d/linked/", false)->objects.empty());
  ASSERT_TRUE(store_.remove("d/file-link").has_value());
  EXPECT_TRUE(std::filesystem::is_symlink(path("d/file-link")));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(outside), {}), 1);
}

TEST_F(FolderStoreTest, ADirectoryWithoutAnObjectIsForeignWhereItWouldBeRolledUp) {
  ASSERT_TRUE(store_.put_if_absent("a/b/c", "x").has_value());
  std::filesystem::create_directories(path("a/empty/deeper"));
  const Listing listing = store_.list("a/", true).value();
  EXPECT_EQ(listing.prefixes, Names{"a/b/"});
  EXPECT_EQ(listing.foreign, Names{"a/empty/"});
}

TEST_F(FolderStoreTest, ADirectoryUnderAnObjectsNameIsRefused) {
  ASSERT_TRUE(store_.put_if_absent("a/b/c", "x").has_value());
  EXPECT_EQ(kind_of(store_.put_if_absent("a/b", "x")), ErrorKind::kFailedPrecondition);
}

TEST_F(FolderStoreTest, AnEmptyDirectoryIsNotAPrefix) {
  ASSERT_TRUE(store_.put_if_absent("a/b/c", "x").has_value());
  std::filesystem::create_directories(path("e/f/g"));
  EXPECT_EQ(store_.list("", true)->prefixes, (Names{"a/"}));
}

TEST_F(FolderStoreTest, ALinkAsTheRootItselfIsTheUsersChoice) {
  std::filesystem::create_directory(directory_ / "real");
  ASSERT_EQ(::symlink((directory_ / "real").c_str(), root().c_str()), 0);
  EXPECT_EQ(store_.put_if_absent("a/b", "x").value(), PutOutcome::kCreated);
  EXPECT_EQ(store_.get("a/b", 10).value(), "x");
  EXPECT_TRUE(std::filesystem::exists(directory_ / "real/a/b"));
}

TEST_F(FolderStoreTest, SweepRemovesOnlyOldTemporaryFiles) {
  ASSERT_TRUE(store_.put_if_absent("a", "x").has_value());
  write_file("~tmp/dead", "half");
  write_file("~tmp/alive", "half");
  const struct ::timespec old[2] = {{1'000'000, 0}, {1'000'000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path("~tmp/dead").c_str(), old, 0), 0);
  EXPECT_EQ(store_.sweep(std::chrono::hours(24)).value(), 1U);
  EXPECT_FALSE(std::filesystem::exists(path("~tmp/dead")));
  EXPECT_TRUE(std::filesystem::exists(path("~tmp/alive")));
  EXPECT_EQ(store_.get("a", 10).value(), "x");
}

TEST_F(FolderStoreTest, ADirectoryRemovedBehindItsBackIsMadeAgain) {
  ASSERT_TRUE(store_.put_if_absent("a/b/1", "x").has_value());
  std::filesystem::remove_all(path("a"));
  EXPECT_EQ(store_.put_if_absent("a/b/2", "y").value(), PutOutcome::kCreated);
  EXPECT_EQ(store_.get("a/b/2", 10).value(), "y");
}

TEST_F(FolderStoreTest, AFileBodyIsPutWithoutHoldingItAllInMemory) {
  std::ofstream(directory_ / "source") << std::string(3 * kMiB + 17, 'z');
  const auto body = file_body(posix_file_system(), directory_ / "source");
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ((*body)->size_bytes(), 3 * kMiB + 17);
  ASSERT_EQ(store_.put_if_absent("big", **body).value(), PutOutcome::kCreated);
  EXPECT_EQ(store_.head("big")->size_bytes, 3 * kMiB + 17);
}

}  // namespace
}  // namespace anclora::storage
