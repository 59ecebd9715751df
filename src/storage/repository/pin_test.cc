#include "storage/repository/pin.h"

#include <gtest/gtest.h>

#include "storage/repository/record.h"
#include "storage/repository/testing/test_source.h"
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
