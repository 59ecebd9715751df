#include "app/daemon/service_notifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>

#include "app/testing/notify_socket.h"
#include "base/testing/temporary_directory.h"

namespace anclora::app {
namespace {

std::function<std::optional<std::string>(const std::string&)> environment(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}

TEST(ServiceNotifier, TellsReadyStatusWatchdogAndStoppingToTheSocket) {
  const TemporaryDirectory folder;
  NotifySocket systemd(folder / "notify");
  const auto notifier = ServiceNotifier::create(environment({{"NOTIFY_SOCKET", folder / "notify"}}));
  ASSERT_TRUE(notifier) << notifier.error().to_string();

  EXPECT_TRUE(notifier->ready("protected up to 1/100"));
  EXPECT_EQ(systemd.next(), "READY=1\nSTATUS=protected up to 1/100\n");
  EXPECT_TRUE(notifier->status("protected up to 1/200"));
  EXPECT_EQ(systemd.next(), "STATUS=protected up to 1/200\n");
  EXPECT_TRUE(notifier->watchdog());
  EXPECT_EQ(systemd.next(), "WATCHDOG=1\n");
  EXPECT_TRUE(notifier->stopping("draining"));
  EXPECT_EQ(systemd.next(), "STOPPING=1\nSTATUS=draining\n");
  EXPECT_EQ(systemd.next(), "");
}

TEST(ServiceNotifier, SpeaksToAnAbstractSocket) {
  const std::string name = "@anclora-notify-" + std::to_string(::getpid());
  NotifySocket systemd(name);
  const auto notifier = ServiceNotifier::create(environment({{"NOTIFY_SOCKET", name}}));
  ASSERT_TRUE(notifier);
  EXPECT_TRUE(notifier->watchdog());
  EXPECT_EQ(systemd.next(), "WATCHDOG=1\n");
}

TEST(ServiceNotifier, KeepsAStatusOnOneLineSoThatItCannotCarryOtherMessages) {
  const TemporaryDirectory folder;
  NotifySocket systemd(folder / "notify");
  const auto notifier = ServiceNotifier::create(environment({{"NOTIFY_SOCKET", folder / "notify"}}));
  ASSERT_TRUE(notifier);
  EXPECT_TRUE(notifier->status("a key named\nSTOPPING=1\r\nx"));
  EXPECT_EQ(systemd.next(), "STATUS=a key named STOPPING=1  x\n");
}

TEST(ServiceNotifier, DoesNothingWithoutSystemd) {
  for (const auto& variables :
       {std::map<std::string, std::string>{}, {{"NOTIFY_SOCKET", ""}, {"WATCHDOG_USEC", "9"}}}) {
    const auto notifier = ServiceNotifier::create(environment(variables));
    ASSERT_TRUE(notifier);
    EXPECT_TRUE(notifier->ready("x"));
    EXPECT_TRUE(notifier->watchdog());
    EXPECT_EQ(notifier->watchdog_interval(), std::nullopt);
  }
}

TEST(ServiceNotifier, AsksForAWatchdogMessageTwiceInTheTimeAllowed) {
  const auto mine = environment({{"NOTIFY_SOCKET", "@x"}, {"WATCHDOG_USEC", "30000000"}});
  EXPECT_EQ(ServiceNotifier::create(mine)->watchdog_interval(), std::chrono::seconds(15));
  const auto named = environment(
      {{"NOTIFY_SOCKET", "@x"}, {"WATCHDOG_USEC", "30000000"}, {"WATCHDOG_PID", std::to_string(::getpid())}});
  EXPECT_EQ(ServiceNotifier::create(named)->watchdog_interval(), std::chrono::seconds(15));
  const auto other = environment({{"NOTIFY_SOCKET", "@x"}, {"WATCHDOG_USEC", "30000000"}, {"WATCHDOG_PID", "1"}});
  EXPECT_EQ(ServiceNotifier::create(other)->watchdog_interval(), std::nullopt);
}

TEST(ServiceNotifier, RefusesMalformedVariables) {
  for (const auto& variables : {std::map<std::string, std::string>{{"NOTIFY_SOCKET", "relative/path"}},
                                {{"NOTIFY_SOCKET", "/"}},
                                {{"NOTIFY_SOCKET", "/" + std::string(200, 'x')}},
                                {{"NOTIFY_SOCKET", "@x"}, {"WATCHDOG_USEC", "soon"}},
                                {{"NOTIFY_SOCKET", "@x"}, {"WATCHDOG_USEC", "-5"}}}) {
    const auto notifier = ServiceNotifier::create(environment(variables));
    ASSERT_FALSE(notifier);
    EXPECT_EQ(notifier.error().kind(), ErrorKind::kInvalidArgument);
  }
}

TEST(ServiceNotifier, SaysWhenNobodyListens) {
  const TemporaryDirectory folder;
  const auto notifier = ServiceNotifier::create(environment({{"NOTIFY_SOCKET", folder / "nobody"}}));
  ASSERT_TRUE(notifier);
  const Status told = notifier->watchdog();
  ASSERT_FALSE(told);
  EXPECT_THAT(told.error().message(), testing::HasSubstr(folder / "nobody"));
}

}  // namespace
}  // namespace anclora::app
