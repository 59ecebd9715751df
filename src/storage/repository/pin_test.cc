#include "storage/repository/pin.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/posix_file_system.h"
#include "base/testing/temporary_directory.h"
#include "storage/repository/record.h"
#include "storage/repository/testing/test_source.h"
#include "storage/store/folder_store.h"
#include "storage/store/memory_store.h"

namespace anclora::storage {
namespace {

class PinTest : public ::testing::Test {
 protected:
  ManualClock clock_;
  MemoryStore store_{clock_};
  SeededRandom random_{5};
  Repository repository_ = make_plain_repository(store_, clock_, random_);
};

TEST_F(PinTest, IsWrittenOnceAndReadBack) {
  Pin pin{"before-release.1", {TimelineId{3}, redis::Offset{77}},
          clock_.wall_now(),  clock_.wall_now(),
          std::nullopt,       "why"};
  ASSERT_TRUE(write_pin(store_, repository_, "default", pin, random_).has_value());
  const auto again = write_pin(store_, repository_, "default", pin, random_);
  Pin other = pin;
  other.note = "another";
  const auto moved = write_pin(store_, repository_, "default", other, random_);
  ASSERT_FALSE(moved.has_value());
  EXPECT_EQ(moved.error().kind(), ErrorKind::kAlreadyExists);
  other.name = "copy";
  other.expires = clock_.wall_now() + std::chrono::hours(720);
  ASSERT_TRUE(write_pin(store_, repository_, "default", other, random_).has_value());
  const auto pins = list_pins(store_, repository_, "default").value();
  ASSERT_EQ(pins.size(), 2U);
  EXPECT_EQ(pins[0].position, pin.position);
  EXPECT_EQ(pins[0].note, "why");
  EXPECT_EQ(pins[1].expires, other.expires);
  EXPECT_EQ(read_pin(store_, repository_, "default", "nope").error().kind(), ErrorKind::kNotFound);
}

TEST_F(PinTest, ANameIsOneComponent) {
  for (const char* name : {"", "a/b", "..", "-x", "a b", "a\n"}) {
    Pin pin;
    pin.name = name;
    EXPECT_EQ(write_pin(store_, repository_, "default", pin, random_).error().kind(), ErrorKind::kInvalidArgument)
        << name;
  }
}

// How something else came to stand in the place of a tag, or of the folder of all tags.
using Displace = void (*)(const std::string& pins);
class DisplacedPinTest : public ::testing::TestWithParam<Displace> {};

TEST_P(DisplacedPinTest, IsToldByNameAndNotPassedOver) {
  const TemporaryDirectory folder;
  SeededRandom random(5);
  ManualClock clock;
  FolderStore store(posix_file_system(), random, folder / "repository");
  const Repository repository = make_plain_repository(store, clock, random);
  for (const char* name : {"first", "second"})
    ASSERT_TRUE(write_pin(store, repository, "default",
                          {name, {TimelineId{1}, redis::Offset{7}}, clock.wall_now(), clock.wall_now(), {}, ""}, random)
                    .has_value());
  EXPECT_EQ(displaced_pins(store, "default").value().size(), 0U);
  EXPECT_EQ(list_pins(store, repository, "default").value().size(), 2U);

  GetParam()(folder / "repository/sources/default/pin");
  const auto displaced = displaced_pins(store, "default").value();
  ASSERT_EQ(displaced.size(), 1U);
  const auto listed = list_pins(store, repository, "default");
  ASSERT_FALSE(listed.has_value());
  EXPECT_EQ(listed.error().kind(), ErrorKind::kDataLoss);
  EXPECT_TRUE(listed.error().message().starts_with(displaced[0] + ": ")) << listed.error().message();
}

INSTANTIATE_TEST_SUITE_P(Ways, DisplacedPinTest,
                         testing::Values(
                             [](const std::string& pins) {
                               std::filesystem::remove(pins + "/first");
                               std::filesystem::create_directory(pins + "/first");
                             },
                             [](const std::string& pins) {
                               std::filesystem::rename(pins + "/first", pins + "/kept");
                               std::filesystem::create_directory(pins + "/first");
                               std::filesystem::rename(pins + "/kept", pins + "/first/first");
                             },
                             [](const std::string& pins) {
                               std::filesystem::rename(pins + "/first", pins + "/../../first");
                               std::filesystem::create_symlink("../../first", pins + "/first");
                             },
                             [](const std::string& pins) {
                               std::filesystem::rename(pins, pins + "/../../pins");
                               std::filesystem::create_symlink("../pins", pins);
                             }));

TEST_F(PinTest, RecordsAreListedByKindInOrder) {
  ASSERT_TRUE(write_record(store_, repository_, "drill", "2026-01-02", "{\"b\":2}", random_).has_value());
  ASSERT_TRUE(write_record(store_, repository_, "drill", "2026-01-01", "{\"a\":1}", random_).has_value());
  ASSERT_TRUE(write_record(store_, repository_, "restore", "2026-01-01", "{}", random_).has_value());
  EXPECT_EQ(list_records(store_, "drill").value(), (std::vector<std::string>{"2026-01-01", "2026-01-02"}));
  EXPECT_EQ(read_record(store_, repository_, "drill", "2026-01-02").value(), "{\"b\":2}");
  EXPECT_EQ(write_record(store_, repository_, "drill", "2026-01-01", "{\"c\":1}", random_).error().kind(),
            ErrorKind::kAlreadyExists);
  EXPECT_EQ(write_record(store_, repository_, "../x", "y", "{}", random_).error().kind(), ErrorKind::kInvalidArgument);
}

}  // namespace
}  // namespace anclora::storage
