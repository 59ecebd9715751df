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
  incident.verdicts = {{kOpened, "gone", "refused", kOpened - seconds(3)}};
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
  EXPECT_EQ(escalation_facts(incident, {}, kOpened + minutes(4)).over, kOpened + minutes(4));
  incident.verdicts.push_back({kOpened + minutes(5), "gone", "refused", {}});
  EXPECT_FALSE(escalation_facts(incident, {}, kOpened + minutes(4)).over);
  incident.closed = kOpened + minutes(6);
  EXPECT_EQ(escalation_facts(incident, {}, {}).over, kOpened + minutes(6));
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
