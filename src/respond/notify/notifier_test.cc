#include "respond/notify/notifier.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>

#include "base/posix_file_system.h"
#include "base/testing/witness.h"
#include "plan/reader/yaml_reader.h"

namespace anclora::respond {
namespace {

using namespace std::chrono_literals;

// Channels of a test: what each answers, by its kind, attempt by attempt; the last answer stays.
class World {
 public:
  explicit World(Clock& of) : clock(of), means{of, posix_file_system(), system_random()} {
    plan.contacts = {contact("anna", {"oncall"}, {"smtp", "webhook"}), contact("bea", {"lead", "oncall"}, {"phone"}),
                     contact("cid", {"cto"}, {"smtp"})};
  }
  static plan::Contact contact(std::string id, std::vector<std::string> roles, const std::vector<std::string>& kinds) {
    plan::Contact made;
    made.id = std::move(id);
    made.roles = std::move(roles);
    for (const std::string& kind : kinds) {
      plan::Channel channel;
      channel.kind = kind;
      made.channels.push_back(channel);
    }
    return made;
  }
  Notifier notifier(NotifierOptions options = {}) {
    return {plan, [this](const plan::Channel& channel) { return make(channel); }, means, options};
  }
  Result<std::unique_ptr<Channel>> make(const plan::Channel& channel) {
    class Scripted final : public Channel {
     public:
      Scripted(World& world, std::string kind) : world_(world), kind_(std::move(kind)) {}
      Attempt deliver(const Message& message, MonoTime deadline) override {
        const std::lock_guard lock(world_.mutex);
        world_.texts[kind_].push_back(message.text);
        world_.deadlines.push_back(deadline - world_.clock.mono_now());
        auto& script = world_.script[kind_];
        if (script.empty()) return {true, false, {}, "taken"};
        const Attempt attempt = script.front();
        if (script.size() > 1) script.erase(script.begin());
        return attempt;
      }

     private:
      World& world_;
      std::string kind_;
    };
    if (channel.kind == "phone") return Error(ErrorKind::kUnsupported, "a person dials it");
    return std::unique_ptr<Channel>(new Scripted(*this, channel.kind));
  }
  Clock& clock;
  ChannelMeans means;
  plan::Plan plan;
  std::mutex mutex;
  std::map<std::string, std::vector<Attempt>> script;
  std::map<std::string, std::vector<std::string>> texts;
  std::vector<Duration> deadlines;
};

Message alert(std::string text = "lost") {
  Message message;
  message.subject = "s";
  message.text = std::move(text);
  message.dedup_key = "inc-1";
  return message;
}

std::string states(const std::vector<Delivery>& deliveries) {
  std::string out;
  for (const Delivery& delivery : deliveries)
    out += (out.empty() ? "" : " ") + delivery.contact + "/" + delivery.channel + "=" +
           std::string(to_string(delivery.state)) + "*" + std::to_string(delivery.attempts);
  return out;
}

TEST(Notifier, TellsEveryChannelOfThoseNamedByIdOrRoleOnce) {
  ManualClock clock;
  World world(clock);
  Notifier notifier = world.notifier();
  EXPECT_EQ(states(notifier.tell({.contacts = {"oncall", "anna"}}, alert())),
            "anna/smtp=sent*1 anna/webhook=sent*1 bea/phone=skipped*0");
  EXPECT_TRUE(notifier.tell({.contacts = {"nobody"}}, alert()).empty());
}

TEST(Notifier, OneChannelThatFailsDoesNotStopTheOther) {
  ManualClock clock;
  World world(clock);
  world.script["smtp"] = {{false, false, {}, "refused"}};
  Notifier notifier = world.notifier();
  const auto deliveries = notifier.tell({.contacts = {"anna"}}, alert());
  EXPECT_EQ(states(deliveries), "anna/smtp=failed*1 anna/webhook=sent*1");
  EXPECT_EQ(deliveries[0].detail, "refused");
}

TEST(Notifier, TriesAgainWithGrowingPausesWithinTheBound) {
  ManualClock clock;
  World world(clock);
  world.script["smtp"] = {{false, true, {}, "busy"}, {false, true, {}, "busy"}, {true, false, {}, "taken"}};
  Notifier notifier = world.notifier();
  const MonoTime before = clock.mono_now();
  EXPECT_EQ(states(notifier.tell({.contacts = {"cid"}}, alert())), "cid/smtp=sent*3");
  EXPECT_GE(clock.mono_now() - before, 1500ms);
  EXPECT_LE(clock.mono_now() - before, 1900ms);
  world.script["smtp"] = {{false, true, {}, "busy"}};
  EXPECT_EQ(states(notifier.tell({.contacts = {"cid"}}, alert("again"))), "cid/smtp=failed*5");
}

TEST(Notifier, WaitsAsLongAsTheServerAsksAndNotBeyondTheBound) {
  ManualClock clock;
  World world(clock);
  world.script["smtp"] = {{false, true, 20s, "slower"}, {true, false, {}, "taken"}};
  Notifier notifier = world.notifier();
  const MonoTime before = clock.mono_now();
  EXPECT_EQ(states(notifier.tell({.contacts = {"cid"}}, alert())), "cid/smtp=sent*2");
  EXPECT_GE(clock.mono_now() - before, 20s);
  world.script["smtp"] = {{false, true, 10min, "slower"}};
  const auto late = notifier.tell({.contacts = {"cid"}}, alert("again"));
  EXPECT_EQ(states(late), "cid/smtp=failed*1");
  EXPECT_NE(late[0].detail.find("too late"), std::string::npos);
}

TEST(Notifier, NoAttemptMayLastLongerThanWhatIsLeft) {
  ManualClock clock;
  World world(clock);
  Notifier notifier = world.notifier();
  notifier.tell({.contacts = {"cid"}, .bound = 3s}, alert());
  EXPECT_EQ(world.deadlines.at(0), 3s);
}

TEST(Notifier, FoldsARepeatAndSaysSoInTheNextMessage) {
  ManualClock clock;
  World world(clock);
  Notifier notifier = world.notifier();
  const Notifier::Call call{.contacts = {"cid"}};
  EXPECT_EQ(states(notifier.tell(call, alert())), "cid/smtp=sent*1");
  EXPECT_EQ(states(notifier.tell(call, alert())), "cid/smtp=limited*0");
  EXPECT_EQ(states(notifier.tell(call, alert())), "cid/smtp=limited*0");
  EXPECT_EQ(states(notifier.tell(call, alert("worse"))), "cid/smtp=sent*1");
  EXPECT_NE(world.texts["smtp"].back().find("(2 earlier messages"), std::string::npos);
  clock.advance(61s);
  EXPECT_EQ(states(notifier.tell(call, alert())), "cid/smtp=sent*1");
  EXPECT_EQ(world.texts["smtp"].back(), "lost");
}

TEST(Notifier, LimitsEachContactAndChannelAndCountsOnlyWhatWasSent) {
  ManualClock clock;
  World world(clock);
  NotifierOptions options;
  options.limit.most_in_window = 2;
  Notifier notifier = world.notifier(options);
  world.script["smtp"] = {{false, false, {}, "refused"}};
  notifier.tell({.contacts = {"anna"}}, alert("0"));
  world.script.clear();
  EXPECT_EQ(states(notifier.tell({.contacts = {"anna"}}, alert("1"))), "anna/smtp=sent*1 anna/webhook=sent*1");
  EXPECT_EQ(states(notifier.tell({.contacts = {"anna"}}, alert("2"))), "anna/smtp=sent*1 anna/webhook=limited*0");
  EXPECT_EQ(states(notifier.tell({.contacts = {"anna"}}, alert("3"))), "anna/smtp=limited*0 anna/webhook=limited*0");
  EXPECT_EQ(states(notifier.tell({.contacts = {"cid"}}, alert("3"))), "cid/smtp=sent*1");
}

TEST(Notifier, GivesUpWhenItIsToldToAndLeavesOutWhoWasTold) {
  ManualClock clock;
  World world(clock);
  world.script["smtp"] = {{false, true, {}, "busy"}};
  Notifier notifier = world.notifier();
  std::atomic<int> told = 0;
  const auto deliveries =
      notifier.tell({.contacts = {"anna", "cid"},
                     .skip = [](const plan::Contact& c, std::uint32_t i) { return c.id == "anna" && i == 1; },
                     .told = [&](const Delivery&) { ++told; },
                     .cancelled = [] { return true; }},
                    alert());
  EXPECT_EQ(states(deliveries), "anna/smtp=failed*1 cid/smtp=failed*1");
  EXPECT_EQ(told, 2);
}

TEST(Notifier, TellsManyAtOnceWhileOneHangs) {
  World world(system_clock());
  world.plan.contacts.clear();
  for (int i = 0; i < 40; ++i)
    world.plan.contacts.push_back(World::contact("c" + std::to_string(i), {"all"}, {i == 0 ? "hang" : "smtp"}));
  const auto make = [&](const plan::Channel& channel) -> Result<std::unique_ptr<Channel>> {
    class Slow final : public Channel {
     public:
      explicit Slow(Duration of) : of_(of) {}
      Attempt deliver(const Message&, MonoTime) override {
        system_clock().sleep_for(of_);
        return {true, false, {}, "taken"};
      }
      Duration of_;
    };
    return std::unique_ptr<Channel>(new Slow(channel.kind == "hang" ? 500ms : 20ms));
  };
  Notifier notifier(world.plan, make, world.means);
  Witness witness;
  const MonoTime before = system_clock().mono_now();
  EXPECT_EQ(notifier.tell({.contacts = {"all"}}, alert()).size(), 40U);
  EXPECT_LT(system_clock().mono_now() - before, witness.limit(1200ms));  // one after the other: 1.28 s of sleep alone
}

}  // namespace
}  // namespace anclora::respond
