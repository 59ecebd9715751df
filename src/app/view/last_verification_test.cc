#include "app/view/last_verification.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "storage/repository/record.h"
#include "storage/store/memory_store.h"

namespace anclora::app {
namespace {

TEST(LastVerificationLook, StepsOverDamagedRecordsAndNamesThemAndOverForeignNames) {
  ManualClock clock;
  storage::MemoryStore store(clock);
  SeededRandom random(5);
  storage::InitOptions options;
  options.encrypted = false;
  ASSERT_TRUE(storage::Repository::init(store, options, clock, random).has_value());
  const storage::Repository repository = storage::Repository::open(store, {}).value();
  EXPECT_FALSE(last_verification(store, repository)->last.has_value());
  const auto write = [&](const std::string& id, const std::string& json) {
    ASSERT_TRUE(storage::write_record(store, repository, "verify", id, json, random).has_value());
  };
  write("1", R"({"ok": true, "started": "2026-11-30T01:00:00Z"})");
  write("2", R"({"ok": true, "started": "2026-11-30T02:00:00Z"})");
  write("3", R"({"ok": false, "started": "2026-11-30T03:00:00Z"})");
  write("4", R"({"ok": "maybe"})");
  store.overwrite("records/verify/3", "");
  store.overwrite("records/verify/5 (copy)", "foreign");
  const auto look = last_verification(store, repository);
  ASSERT_TRUE(look.has_value()) << look.error().to_string();
  ASSERT_TRUE(look->last.has_value());
  EXPECT_EQ(look->last->time, parse_rfc3339("2026-11-30T02:00:00Z").value());
  ASSERT_EQ(look->damaged.size(), 2U);
  EXPECT_EQ(look->damaged[0].object, "records/verify/4");
  EXPECT_EQ(look->damaged[1].object, "records/verify/3");
  EXPECT_EQ(to_text(look->damaged).find("records/verify/3: records/"), std::string::npos) << to_text(look->damaged);
}

}  // namespace
}  // namespace anclora::app
