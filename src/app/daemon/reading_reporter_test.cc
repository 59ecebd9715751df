#include "app/daemon/reading_reporter.h"

#include <gtest/gtest.h>

namespace anclora::app {
namespace {

TEST(ReadingReporter, SendsItsTokenOverNoNetworkInClear) {
  const auto refusal = [](const char* url) {
    const auto made = ReadingReporter::create({url, "", Secret("0123456789abcdef")}, system_clock());
    return made ? std::string() : made.error().message();
  };
  for (const char* good :
       {"https://dr.example:7373", "http://127.0.0.1:7373/", "http://localhost:7373", "http://[::1]:7373"})
    EXPECT_EQ(refusal(good), "") << good;
  for (const char* clear :
       {"http://10.0.0.5:7373", "http://dr.example", "http://127.0.0.1@dr.example:7373", "http://[2001:db8::1]:1"})
    EXPECT_NE(refusal(clear).find("in clear"), std::string::npos) << clear << ": " << refusal(clear);
  for (const char* none : {"dr.example:7373", "ftp://dr.example", "http://"})
    EXPECT_NE(refusal(none).find("is no http"), std::string::npos) << none << ": " << refusal(none);
}

}  // namespace
}  // namespace anclora::app
