#include "app/daemon/serve_jobs.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace anclora::app {
namespace {

plan::Value text(std::string value) {
  plan::Value scalar;
  scalar.kind = plan::ValueKind::kScalar;
  scalar.text = std::move(value);
  return scalar;
}

plan::Target target(std::string id, std::string kind, std::vector<std::pair<std::string, std::string>> settings) {
  plan::Target made;
  made.id = std::move(id);
  made.kind = std::move(kind);
  made.settings.kind = plan::ValueKind::kMap;
  for (auto& [key, value] : settings) made.settings.entries.push_back({key, {}, text(value)});
  return made;
}

plan::Backup backup(std::string id, std::string of, std::string to) {
  plan::Backup made;
  made.id = std::move(id);
  made.target = std::move(of);
  made.repository = std::move(to);
  made.continuous = true;
  made.keep = {{"every_moment", {}, text("7d")}, {"daily", {}, text("month")}};
  return made;
}

class ServeJobsTest : public ::testing::Test {
 protected:
  ServeJobsTest() {
    plan.targets = {target("main", "redis", {{"url", "redis://app@10.0.0.1:6379"}, {"password", "env:PASSWORD"}}),
                    target("repo", "repository", {{"url", "/srv/repo"}, {"passphrase", "env:PASSPHRASE"}}),
                    target("settings", "configuration", {})};
    plan.backups = {backup("a", "main", "repo"), backup("b", "main", "repo")};
    lookup.target = [this](std::string_view id) -> const plan::Target& {
      return *std::ranges::find(plan.targets, id, &plan::Target::id);
    };
    lookup.resolve = [](std::string_view reference) -> Result<Secret> {
      if (reference == "env:PASSWORD") return Secret("the-redis-password");
      if (reference == "env:PASSPHRASE") return Secret("the-passphrase");
      return Secret(std::string(reference));
    };
  }
  plan::Plan plan;
  respond::PlanLookup lookup;
};

TEST_F(ServeJobsTest, SecretsGoByTheEnvironmentAndNeverByTheArguments) {
  const auto jobs = jobs_of(plan, lookup);
  ASSERT_TRUE(jobs.has_value()) << jobs.error().to_string();
  ASSERT_EQ(jobs->backups.size(), 1U);  // two backups of one server in one repository are one capture
  const ServedBackup& served = jobs->backups.front();
  for (const ChildSpec* spec : {&served.capture, &served.expire, &served.status, &jobs->repositories.front().verify}) {
    for (const std::string& word : spec->words) {
      EXPECT_EQ(word.find("the-redis-password"), std::string::npos) << word;
      EXPECT_EQ(word.find("the-passphrase"), std::string::npos) << word;
    }
    EXPECT_TRUE(std::ranges::count(spec->environment, "ANCLORA_PASSPHRASE=the-passphrase") == 1) << spec->name;
  }
  EXPECT_EQ(std::ranges::count(served.capture.environment, "ANCLORA_REDIS_PASSWORD=the-redis-password"), 1);
  EXPECT_TRUE(served.capture.keep);
  EXPECT_FALSE(served.expire.keep);
}

TEST_F(ServeJobsTest, ExpireKeepsWhatThePlanSaysAndNothingElse) {
  const auto jobs = jobs_of(plan, lookup);
  ASSERT_TRUE(jobs.has_value());
  const std::vector<std::string> expected = {"expire",   "--name",        "default", "--keep-every-moment",
                                             "7d",       "--keep-hourly", "0s",      "--keep-daily",
                                             "31d",      "--keep-weekly", "0s",      "--repo",
                                             "/srv/repo"};
  EXPECT_EQ(jobs->backups.front().expire.words, expected);
}

TEST_F(ServeJobsTest, SaysWhichBackupNobodyMakes) {
  plan.backups.push_back(backup("c", "settings", "repo"));
  const auto jobs = jobs_of(plan, lookup);
  ASSERT_TRUE(jobs.has_value());
  ASSERT_EQ(jobs->left_out.size(), 1U);
  EXPECT_NE(jobs->left_out.front().find("backup c"), std::string::npos);
}

TEST_F(ServeJobsTest, RunsNoDrillOutsideASandboxAndTellsEachThatNobodyAttendsIt) {
  const auto jobs = jobs_of(plan, lookup);
  ASSERT_TRUE(jobs.has_value());
  plan::Environment sandbox, all, production;
  sandbox.id = "sandbox";
  sandbox.sandbox = true;
  all.id = "all";
  all.sandbox = all.everything = true;
  production.id = "production";
  plan.environments = {sandbox, all, production};
  respond::ScheduledDrill drill;
  drill.id = "monthly";
  drill.scenario = "lost";
  for (const char* id : {"production", "none"}) {
    drill.environment = id;
    EXPECT_FALSE(drill_job(plan, drill, *jobs).refusal.empty()) << id;
  }
  for (const char* id : {"sandbox", "all"}) {
    drill.environment = id;
    const DrillJob job = drill_job(plan, drill, *jobs);
    EXPECT_EQ(job.refusal, "") << id;
    EXPECT_EQ(std::ranges::count(job.spec.words, "--unattended"), 1) << id;
  }
}

}  // namespace
}  // namespace anclora::app
