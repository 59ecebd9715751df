#include "protect/capture/capture_metrics.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

namespace anclora::protect {
namespace {

TEST(CaptureMetrics, SaysWhatIsProtectedAndHowFarBehindItIs) {
  CaptureStatus status;
  status.source = "orders \"eu\"";
  status.link = LinkState::kStreaming;
  status.source_offset = redis::Offset{1500};
  status.protected_up_to = storage::Position{{3}, {1200}};
  status.lag_bytes = 300;
  status.lag_time = std::chrono::milliseconds(250);
  const std::string text = render_capture_metrics(status, WallTime{});
  EXPECT_NE(text.find("anclora_capture_protected_offset{source=\"orders \\\"eu\\\"\"} 1200\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("anclora_capture_lag_bytes{source=\"orders \\\"eu\\\"\"} 300\n"), std::string::npos);
  EXPECT_NE(text.find("} 0.25\n"), std::string::npos);
  EXPECT_NE(text.find("anclora_capture_link_streaming{source=\"orders \\\"eu\\\"\"} 1\n"), std::string::npos);
}

TEST(CaptureMetrics, NamesNoProtectedOffsetBeforeThereIsOne) {
  EXPECT_EQ(render_capture_metrics(CaptureStatus{}, WallTime{}).find("protected_offset"), std::string::npos);
}

TEST(CaptureMetrics, DescribesEveryNameOnce) {
  std::istringstream lines(render_capture_metrics(CaptureStatus{}, WallTime{}));
  std::set<std::string> described;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) {
      EXPECT_TRUE(described.insert(line.substr(7, line.find(' ', 7) - 7)).second) << line;
    } else if (!line.starts_with("#")) {
      EXPECT_TRUE(described.contains(line.substr(0, line.find('{')))) << line;
    }
  }
  EXPECT_GT(described.size(), 15u);
}

}  // namespace
}  // namespace anclora::protect
