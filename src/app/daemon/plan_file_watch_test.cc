#include "app/daemon/plan_file_watch.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/testing/temporary_directory.h"
#include "base/write_file.h"

namespace anclora::app {
namespace {

TEST(PlanFileWatch, TellsWhatBecameOfTheFile) {
  const TemporaryDirectory folder;
  const std::string path = folder / "plan.yaml";
  ASSERT_TRUE(write_file(posix_file_system(), path, "version: 1\n"));
  const PlanFileWatch watch(posix_file_system(), path, "version: 2\n");
  for (int i = 0; i < 1200 && watch.note().empty(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_NE(watch.note().find("which it will not be: anclora plan check"), std::string::npos) << watch.note();
}

}  // namespace
}  // namespace anclora::app
