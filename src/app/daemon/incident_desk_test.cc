#include "app/daemon/incident_desk.h"

#include <gtest/gtest.h>

namespace anclora::app {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr WallTime kOpened = WallTime(std::chrono::hours(500'000));

respond::IncidentState lost() {
  respond::IncidentState incident;
  incident.id = "i-1";
  incident.scenario = "lost";
  incident.severity = "critical";
  incident.opened = kOpened;
  incident.verdicts = {{kOpened, "gone", "refused", kOpened - seconds(3), {}}};
  return incident;
}

RunView run(double forecast) {
  RunView view;
  view.run = "lost-1";
  view.scenario = "lost";
  view.forecast_seconds = forecast;
  return view;
}

TEST(EscalationFacts, BeginWithTheFirstBadLookAndKnowTheRunsForecast) {
  RunView other = run(900);
  other.scenario = "corrupt";
  const auto facts = escalation_facts(lost(), {other, run(120)}, {});
  EXPECT_EQ(facts.declared, kOpened);
  EXPECT_EQ(facts.out_since, kOpened - seconds(3));
  EXPECT_EQ(facts.forecast, seconds(120));
  EXPECT_FALSE(facts.over);
}

TEST(EscalationFacts, TakeTheLatestAcknowledgementAndAPersonsNoteAsProgress) {
  respond::IncidentState incident = lost();
  incident.acknowledgements = {{"ada", kOpened + minutes(1), ""}, {"bob", kOpened + minutes(3), ""}};
  incident.notes = {{kOpened + minutes(2), "ada", "looking"}, {kOpened + minutes(9), "", "the rule is quiet"}};
  const auto facts = escalation_facts(incident, {}, {});
  EXPECT_EQ(facts.acknowledged, kOpened + minutes(3));
  EXPECT_EQ(facts.progress, kOpened + minutes(2));
}

TEST(EscalationFacts, AreOverWhenARunRestoredItUnlessItWentBadAgain) {
  respond::IncidentState incident = lost();
  const std::vector<WallTime> restored = {kOpened + minutes(4)};
  EXPECT_EQ(escalation_facts(incident, {}, relapses_of(incident, restored)).over, kOpened + minutes(4));
  incident.verdicts.push_back({kOpened + minutes(5), "gone", "refused", {}, {}});
  EXPECT_FALSE(escalation_facts(incident, {}, relapses_of(incident, restored)).over);
  incident.closed = kOpened + minutes(6);
  EXPECT_EQ(escalation_facts(incident, {}, {}).over, kOpened + minutes(6));
}

respond::IncidentDelivery delivery(const std::string& event, const std::string& level, WallTime time) {
  respond::IncidentDelivery made;
  made.event = event;
  made.level = level;
  made.time = time;
  return made;
}

TEST(EscalationFacts, BeginAnewWithALossAfterItWasRestored) {
  respond::IncidentState incident = lost();
  const WallTime restored = kOpened + minutes(4), again = kOpened + minutes(9);
  incident.acknowledgements = {{"ada", kOpened + minutes(1), ""}};
  incident.notes = {{kOpened + minutes(3), "ada", "mended"}};
  // What was told of the first loss may be delivered late.
  incident.deliveries = {delivery("escalation/one/1", "one", kOpened), delivery("over", "", again + seconds(1))};
  incident.verdicts.push_back({again, "gone", "refused", again - seconds(2), "a run has acted"});
  incident.verdicts.push_back({again + minutes(1), "gone", "refused", again + seconds(50), "a run has acted"});
  const Relapses relapses = relapses_of(incident, {restored});
  EXPECT_EQ(relapses.count, 1U);
  auto facts = escalation_facts(incident, {}, relapses);
  EXPECT_EQ(facts.declared, again);
  EXPECT_EQ(facts.out_since, again - seconds(2));
  EXPECT_FALSE(facts.acknowledged || facts.progress || facts.over || facts.told_over);
  EXPECT_TRUE(facts.told.empty());
  incident.deliveries.push_back(delivery("again-1/escalation/one/1", "one", again + seconds(2)));
  incident.deliveries.push_back(delivery("again-1/over", "", again + minutes(3)));
  const Relapses mended = relapses_of(incident, {again + minutes(2), restored});
  facts = escalation_facts(incident, {}, mended);
  EXPECT_EQ(mended.count, 1U);
  EXPECT_EQ(facts.told.size(), 1U);
  EXPECT_EQ(facts.over, again + minutes(2));
  EXPECT_TRUE(facts.told_over);
}

TEST(EscalationFacts, KnowWhoWasTold) {
  respond::IncidentState incident = lost();
  respond::IncidentDelivery first, second, over;
  first.level = "one";
  first.event = "escalation/one/1";
  first.time = kOpened + minutes(2);
  second.level = "two";
  second.event = "escalation/two/1";
  second.time = kOpened + minutes(1);
  incident.deliveries = {first, second};
  auto facts = escalation_facts(incident, {}, {});
  ASSERT_EQ(facts.told.size(), 2U);
  EXPECT_EQ(facts.told[0].level, "two");
  EXPECT_FALSE(facts.told_over);
  over.event = "over";
  incident.deliveries.push_back(over);
  EXPECT_TRUE(escalation_facts(incident, {}, {}).told_over);
}

}  // namespace
}  // namespace anclora::app
