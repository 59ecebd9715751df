#include "respond/notify/send_limit.h"

#include <gtest/gtest.h>

#include "base/memory_file_system.h"

namespace anclora::respond {
namespace {

using namespace std::chrono_literals;

constexpr char kFile[] = "/state/notify/limit.json";
const SendLine kAnna{"anna", 0};

Message message(std::string text, MessageKind kind = MessageKind::kUpdate, std::string about = "inc-1") {
  Message made;
  made.kind = kind;
  made.subject = "s";
  made.text = std::move(text);
  made.dedup_key = std::move(about);
  return made;
}

class SendLimitTest : public ::testing::Test {
 protected:
  // As another process would: nothing but the file is shared.
  SendLimit process() { return {files, clock, kFile, {.most_in_window = 2}}; }
  ManualClock clock;
  MemoryFileSystem files{clock};
};

TEST_F(SendLimitTest, HoldsForAllProcessesThatNameTheSameFile) {
  SendLimit run = process(), serve = process();
  EXPECT_TRUE(run.admit(kAnna, message("1")).admitted);
  EXPECT_FALSE(serve.admit(kAnna, message("1")).admitted);
  EXPECT_TRUE(serve.admit(kAnna, message("2")).admitted);
  EXPECT_FALSE(run.admit(kAnna, message("3")).admitted);
  EXPECT_TRUE(run.admit({"anna", 1}, message("3")).admitted) << "another channel";
  EXPECT_TRUE(run.admit({"bea", 0}, message("3")).admitted) << "another person";
  SendLimit later = process();
  clock.advance(61s);
  EXPECT_TRUE(later.admit(kAnna, message("4")).admitted);
}

TEST_F(SendLimitTest, ACallThatSomebodyWantsAgainIsNotTheSameMessage) {
  SendLimit limit = process();
  Message page = message("Redis is lost");
  page.call = "page/1";
  EXPECT_TRUE(limit.admit(kAnna, page).admitted);
  EXPECT_FALSE(limit.admit(kAnna, page).admitted);
  page.call = "page/2";
  EXPECT_TRUE(limit.admit(kAnna, page).admitted);
  page.call = "page/3";
  EXPECT_FALSE(limit.admit(kAnna, page).admitted) << "so many in a while are the most, wanted or not";
}

TEST_F(SendLimitTest, TheNextMessageSaysWhatAnotherProcessHeldBack) {
  SendLimit run = process(), serve = process();
  EXPECT_EQ(run.admit(kAnna, message("1")).held_back, 0U);
  EXPECT_FALSE(serve.admit(kAnna, message("1")).admitted);
  EXPECT_FALSE(serve.admit(kAnna, message("1")).admitted);
  EXPECT_EQ(run.admit(kAnna, message("2")).held_back, 2U);
  run.give_back(kAnna, message("2"), 2);  // it did not arrive
  EXPECT_EQ(serve.admit(kAnna, message("2")).held_back, 2U);
  clock.advance(1h);
  EXPECT_EQ(serve.admit(kAnna, message("3")).held_back, 0U);
}

TEST_F(SendLimitTest, NeverHoldsBackTheFirstAlertOfAnIncident) {
  SendLimit limit = process();
  for (const char* text : {"1", "2"}) ASSERT_TRUE(limit.admit(kAnna, message(text)).admitted);
  ASSERT_FALSE(limit.admit(kAnna, message("3")).admitted);
  for (int i = 0; i < 20; ++i) {
    const std::string incident = "inc-" + std::to_string(i);
    EXPECT_TRUE(limit.admit(kAnna, message("lost", MessageKind::kAlert, incident)).admitted) << incident;
    EXPECT_FALSE(process().admit(kAnna, message("lost", MessageKind::kAlert, incident)).admitted) << incident;
    EXPECT_FALSE(limit.admit(kAnna, message("still lost", MessageKind::kUpdate, incident)).admitted) << incident;
  }
  // One that did not arrive was none.
  EXPECT_TRUE(limit.admit(kAnna, message("lost", MessageKind::kAlert, "inc-20")).admitted);
  limit.give_back(kAnna, message("lost", MessageKind::kAlert, "inc-20"), 0);
  EXPECT_TRUE(limit.admit(kAnna, message("lost", MessageKind::kAlert, "inc-20")).admitted);
}

TEST_F(SendLimitTest, AFileThatCannotBeReadHoldsNobodyBackAndIsWrittenAnew) {
  for (const char* text :
       {"", "[]", "{\"v\":1,\"lines\":[{\"contact\":\"anna\"}]}", "{\"v\":2,\"lines\":[]}", "\xff{"}) {
    if (files.stat(kFile)) static_cast<void>(files.remove(kFile));  // of the round before
    ASSERT_TRUE(files.create_directories("/state/notify"));
    auto file = files.create(kFile);
    ASSERT_TRUE(file && (*file)->append(std::string_view(text)) && (*file)->close());
    SendLimit limit = process();
    EXPECT_TRUE(limit.admit(kAnna, message("1")).admitted) << text;
    EXPECT_FALSE(process().admit(kAnna, message("1")).admitted) << text;
  }
}

TEST_F(SendLimitTest, KeepsItsOwnLimitWhileTheFileIsHeldByAnother) {
  SendLimit limit = process();
  ASSERT_TRUE(limit.admit(kAnna, message("1")).admitted);
  const auto held = files.lock(std::string(kFile) + ".lock");
  ASSERT_TRUE(held.has_value());
  EXPECT_FALSE(limit.admit(kAnna, message("1")).admitted);
  EXPECT_TRUE(process().admit(kAnna, message("1")).admitted) << "who cannot know tells rather twice than never";
}

TEST_F(SendLimitTest, AClockThatIsSetBackSilencesNobody) {
  SendLimit limit = process();
  EXPECT_TRUE(limit.admit(kAnna, message("1")).admitted);
  EXPECT_TRUE(limit.admit(kAnna, message("2")).admitted);
  clock.step_wall(-24h);
  EXPECT_TRUE(limit.admit(kAnna, message("1")).admitted);
}

}  // namespace
}  // namespace anclora::respond
