#include "app/daemon/child.h"

#include <gtest/gtest.h>

#include <csignal>

namespace anclora::app {
namespace {

// A process that runs until the test ends it.
struct Script {
  int starts = 0;
  bool refuse = false;
  std::optional<int> exit;
  int signalled = 0;
};

class FakeProcess final : public Subprocess {
 public:
  explicit FakeProcess(Script& script) : script_(script) {}
  pid_t pid() const override { return 42; }
  void signal(int number) override { script_.signalled = number; }
  std::optional<int> wait(Duration) override { return script_.exit; }

 private:
  Script& script_;
};

class ChildTest : public ::testing::Test {
 protected:
  Child make(bool keep) {
    return Child(
        {"capture main", {"capture"}, {}, {}, keep},
        [this](const ChildSpec&) -> Result<std::unique_ptr<Subprocess>> {
          ++script.starts;
          if (script.refuse) return Error(ErrorKind::kNotFound, "no such program");
          script.exit.reset();
          return std::make_unique<FakeProcess>(script);
        },
        clock);
  }
  std::optional<int> end(Child& child, int status) {
    script.exit = status;
    return child.tick();
  }
  Script script;
  ManualClock clock;
};

TEST_F(ChildTest, IsStartedAgainAfterGrowingPauses) {
  Child child = make(true);
  EXPECT_EQ(child.tick(), std::nullopt);
  EXPECT_TRUE(child.running());
  for (const int seconds : {1, 2, 4, 8}) {
    EXPECT_EQ(end(child, 8), 8);
    const int before = script.starts;
    clock.advance(std::chrono::seconds(seconds) - std::chrono::milliseconds(1));
    child.tick();
    EXPECT_EQ(script.starts, before) << seconds;
    clock.advance(std::chrono::milliseconds(1));
    child.tick();
    EXPECT_EQ(script.starts, before + 1) << seconds;
  }
  EXPECT_EQ(child.restarts(), 4U);
  EXPECT_EQ(child.last_exit(), 8);
}

TEST_F(ChildTest, BeginsThePausesAnewAfterItRanWell) {
  Child child = make(true);
  child.tick();
  end(child, 8);
  clock.advance(std::chrono::seconds(1));
  child.tick();
  clock.advance(std::chrono::minutes(5));
  end(child, 8);
  clock.advance(std::chrono::seconds(1));
  child.tick();
  EXPECT_TRUE(child.running());
}

TEST_F(ChildTest, IsNotStartedAgainWhereThatCannotHelpNorOnceAskedToEnd) {
  Child wrong = make(true);
  wrong.tick();
  end(wrong, 2);
  EXPECT_TRUE(wrong.over());
  Child asked = make(true);
  asked.tick();
  asked.ask_to_end();
  EXPECT_EQ(script.signalled, SIGTERM);
  EXPECT_EQ(end(asked, 0), 0);
  EXPECT_TRUE(asked.over());
  Child once = make(false);
  once.tick();
  end(once, 8);
  clock.advance(std::chrono::hours(1));
  EXPECT_EQ(once.tick(), std::nullopt);
  EXPECT_TRUE(once.over());
}

TEST_F(ChildTest, TellsWhyItCannotBeStarted) {
  script.refuse = true;
  Child child = make(true);
  EXPECT_EQ(child.tick(), 127);
  EXPECT_NE(child.problem().find("no such program"), std::string::npos);
  EXPECT_FALSE(child.over());
}

}  // namespace
}  // namespace anclora::app
