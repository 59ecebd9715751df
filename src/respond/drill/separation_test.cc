#include "respond/drill/separation.h"

#include <gtest/gtest.h>

#include <map>

namespace anclora::respond {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

plan::Target target(const std::string& id, const std::string& kind, const Settings& settings) {
  plan::Target made;
  made.id = id;
  made.kind = kind;
  made.settings.kind = plan::ValueKind::kMap;
  for (const auto& [key, text] : settings) {
    plan::Entry entry;
    entry.key = key;
    entry.value.kind = plan::ValueKind::kScalar;
    entry.value.text = text;
    made.settings.entries.push_back(std::move(entry));
  }
  return made;
}

plan::Step step(const std::string& id, const std::string& uses, const std::string& key, const std::string& named) {
  plan::Step made;
  made.id = id;
  made.uses = uses;
  made.with = target("", "", {{key, named}}).settings;
  return made;
}

// A plan with one scenario that fences a Redis and flips a file, and a sandbox with others of its own.
struct Site {
  plan::Plan plan;
  std::map<std::string, std::string> values;                // of references
  std::map<std::string, std::string> links;                 // canonical paths
  std::map<std::string, std::string> names;                 // host to address
  std::map<std::string, std::string> run_ids;               // by url
  std::map<std::string, std::optional<std::string>> words;  // what a target says of itself, by id
  bool unattended = false;

  Site() {
    plan.file = "plan.yaml";
    plan.targets = {target("main", "redis", {{"url", "redis://10.0.0.1:6379"}}),
                    target("settings", "configuration", {{"driver", "file"}, {"path", "/etc/shop.env"}}),
                    target("repo", "repository", {{"url", "s3://backups/shop"}}),
                    target("api", "http", {{"url", "https://shop.example/health"}})};
    plan::Environment lab;
    lab.id = "lab";
    lab.sandbox = true;
    lab.targets = {target("main", "redis", {{"url", "redis://127.0.0.1:7000"}}),
                   target("settings", "configuration", {{"driver", "file"}, {"path", "/lab/shop.env"}})};
    plan.environments = {lab};
    plan::Scenario lost;
    lost.id = "lost";
    lost.steps = {step("fence", "redis.fence", "target", "main"), step("put", "config.put", "target", "settings")};
    plan.scenarios = {lost};
  }
  plan::Environment& lab() { return plan.environments[0]; }
  void replace(std::size_t index, const std::string& id, const std::string& kind, const Settings& settings) {
    lab().targets[index] = target(id, kind, settings);
  }
  Result<std::vector<DrillCheck>> prove(const std::string& environment = "lab") {
    const SeparationWorld world{[this](std::string_view reference) -> Result<std::string> {
                                  if (!reference.starts_with("env:")) return std::string(reference);
                                  const auto found = values.find(std::string(reference));
                                  if (found != values.end()) return found->second;
                                  return Error(ErrorKind::kNotFound, std::string(reference) + " is not set");
                                },
                                [this](const std::string& host, std::uint16_t port) -> std::vector<std::string> {
                                  const auto found = names.find(host);
                                  return {(found == names.end() ? host : found->second) + ":" + std::to_string(port)};
                                },
                                [this](const std::string& path) { return links.contains(path) ? links[path] : path; },
                                [this](const plan::Target& asked) -> std::optional<std::string> {
                                  const auto found = run_ids.find(asked.settings.find("url")->text);
                                  return found == run_ids.end() ? std::nullopt : std::optional(found->second);
                                },
                                [this](const plan::Target& asked) -> Result<std::optional<std::string>> {
                                  const auto found = words.find(asked.id);
                                  if (found != words.end()) return found->second;
                                  return Error(ErrorKind::kUnavailable, "connection refused");
                                }};
    if (unattended) return prove_unattended(plan, environment, world);
    return prove_separation(plan, environment, "lost", world);
  }
  // What the refusal says; empty: it was not refused.
  std::string refusal(const std::string& environment = "lab") {
    const auto proven = prove(environment);
    return proven ? std::string() : proven.error().message();
  }
};

#define EXPECT_REFUSED(site, part) EXPECT_NE((site).refusal().find(part), std::string::npos) << (site).refusal()

TEST(Separation, ASandboxWithAddressesOfItsOwnIsProven) {
  Site site;
  const auto proven = site.prove();
  ASSERT_TRUE(proven) << proven.error().message();
  EXPECT_TRUE(proven->front().passed);
}

TEST(Separation, AnUnknownOrMissingEnvironmentIsRefused) {
  Site site;
  EXPECT_EQ(site.prove("elsewhere").error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(site.prove("").error().kind(), ErrorKind::kInvalidArgument);
}

TEST(Separation, AnEnvironmentThatIsNoSandboxIsRefused) {
  Site site;
  site.lab().sandbox = false;
  EXPECT_REFUSED(site, "is none (sandbox: true)");
  site.lab().everything = true;
  EXPECT_REFUSED(site, "is none (sandbox: true)");
}

TEST(Separation, EverythingMakesAllTargetsTheSandbox) {
  Site site;
  site.lab().everything = true;
  site.lab().targets.clear();
  EXPECT_TRUE(site.prove());
}

TEST(Separation, ATargetThatIsChangedAndNotReplacedIsRefused) {
  Site site;
  site.lab().targets.pop_back();
  EXPECT_REFUSED(site, "step put changes settings");
}

TEST(Separation, ATargetOfInjectPrepareOrCleanupMustBeReplacedToo) {
  for (auto part :
       {&plan::Scenario::inject, &plan::Scenario::prepare, &plan::Scenario::cleanup, &plan::Scenario::after}) {
    Site site;
    site.plan.targets.push_back(target("other", "redis", {{"url", "redis://10.0.0.2"}}));
    site.plan.scenarios[0].*part = {step("worse", "redis.fence", "target", "other")};
    EXPECT_REFUSED(site, "step worse changes other");
  }
}

TEST(Separation, TheSameAddressIsRefused) {
  Site site;
  site.replace(0, "main", "redis", {{"url", "redis://10.0.0.1:6379"}});
  EXPECT_REFUSED(site, "both are tcp 10.0.0.1:6379");
}

TEST(Separation, TheSameAddressByAnotherNameIsRefused) {
  Site site;
  site.names["alias.lab"] = "10.0.0.1";
  site.replace(0, "main", "redis", {{"url", "redis://alias.lab:6379/5"}});
  EXPECT_REFUSED(site, "both are tcp 10.0.0.1:6379");
}

TEST(Separation, AnAddressOfAnotherProductionTargetIsRefused) {
  Site site;
  site.plan.targets.push_back(target("replica", "redis", {{"url", "redis://127.0.0.1:7000"}}));
  EXPECT_REFUSED(site, "main of lab is replica of production");
}

TEST(Separation, TheSameServerBehindAnotherAddressIsRefusedByItsRunId) {
  Site site;
  site.run_ids = {{"redis://127.0.0.1:7000", "abc"}, {"redis://10.0.0.1:6379", "abc"}};
  EXPECT_REFUSED(site, "both are run_id abc");
}

TEST(Separation, AReferenceThatLeadsToProductionIsRefused) {
  Site site;
  site.values["env:LAB"] = "redis://10.0.0.1:6379";
  site.replace(0, "main", "redis", {{"url", "env:LAB"}});
  EXPECT_REFUSED(site, "both are tcp 10.0.0.1:6379");
}

TEST(Separation, AnUnsetReferenceOfEitherSideIsRefused) {
  Site sandbox;
  sandbox.replace(0, "main", "redis", {{"url", "env:LAB"}});
  EXPECT_REFUSED(sandbox, "the sandbox's url of main is not known here");
  Site production;
  production.plan.targets[0] = target("main", "redis", {{"url", "env:PRODUCTION"}});
  EXPECT_REFUSED(production, "production's url of main is not known here");
}

TEST(Separation, ALinkToAFileOfProductionIsRefused) {
  Site site;
  site.links["/lab/shop.env"] = "/etc/shop.env";
  EXPECT_REFUSED(site, "both are path /etc/shop.env");
}

TEST(Separation, TheSameRepositoryIsRefusedHoweverItIsWritten) {
  Site site;
  site.lab().targets.push_back(target("repo", "repository", {{"url", "s3://backups/shop/"}}));
  EXPECT_REFUSED(site, "both are store s3://backups/shop");
  Site folder;
  folder.plan.targets[2] = target("repo", "repository", {{"url", "/srv/repo"}});
  folder.lab().targets.push_back(target("repo", "repository", {{"url", "file:///srv/repo"}}));
  EXPECT_REFUSED(folder, "both are path /srv/repo");
}

TEST(Separation, TheSameWebAddressIsRefusedOnAnyPath) {
  Site site;
  site.lab().targets.push_back(target("api", "http", {{"url", "https://shop.example:443/other"}}));
  EXPECT_REFUSED(site, "both are tcp shop.example:443");
  Site fine;
  fine.lab().targets.push_back(target("api", "http", {{"url", "http://127.0.0.1:8080/health"}}));
  EXPECT_TRUE(fine.prove());
}

TEST(Separation, TwoPortsOfOneMachineAreTwoPlacesWhateverTheScheme) {
  Site site;
  site.plan.targets[3] = target("api", "http", {{"url", "http://127.0.0.1:8001/health"}});
  site.lab().targets.push_back(target("api", "http", {{"url", "http://127.0.0.1:8002/health"}}));
  EXPECT_TRUE(site.prove());
  site.lab().targets.back() = target("api", "http", {{"url", "https://127.0.0.1:8001"}});
  EXPECT_REFUSED(site, "both are tcp 127.0.0.1:8001");
}

TEST(Separation, TheSameProgramOfThisMachinesSupervisorIsRefused) {
  plan::Target workers = target("workers", "service", {{"driver", "supervisor"}});
  plan::Entry programs;
  programs.key = "programs";
  programs.value.kind = plan::ValueKind::kList;
  plan::Value web;
  web.kind = plan::ValueKind::kScalar;
  web.text = "web";
  programs.value.items = {web};
  workers.settings.entries.push_back(programs);
  Site site;
  site.plan.targets.push_back(workers);
  site.lab().targets.push_back(workers);
  EXPECT_REFUSED(site, "both are program web");
}

TEST(Separation, TheSameNamedServiceIsRefused) {
  const Settings ecs = {{"driver", "ecs"}, {"cluster", "shop"}, {"service", "workers"}, {"region", "eu-west-1"}};
  Site site;
  site.plan.targets.push_back(target("workers", "service", ecs));
  site.lab().targets.push_back(target("workers", "service", ecs));
  EXPECT_REFUSED(site, "workers of lab is workers of production");
  Settings other = ecs;
  other[2].second = "workers-lab";
  site.lab().targets.back() = target("workers", "service", other);
  EXPECT_TRUE(site.prove());
}

TEST(Separation, AnAddressThatIsNoneIsRefused) {
  Site site;
  site.replace(0, "main", "redis", {{"url", "http://127.0.0.1"}});
  EXPECT_REFUSED(site, "main: ");
}

TEST(Separation, WhereAllIsTheSandboxNobodyNeedsToAttendOnlyIfItsServersSaySo) {
  Site site;
  site.unattended = true;
  EXPECT_TRUE(site.prove()->empty());  // this one is proven by its addresses
  site.lab().targets.clear();
  site.lab().everything = true;
  site.plan.targets.push_back(target("new", "redis", {{"url", "redis://10.0.0.2:6379"}}));
  EXPECT_NE(site.prove().error().message().find("main cannot be asked"), std::string::npos);
  site.words = {{"main", std::nullopt}, {"new", std::nullopt}};
  EXPECT_NE(site.prove().error().message().find("no Redis of the plan says"), std::string::npos);
  site.words["new"] = "";
  EXPECT_NE(site.prove().error().message().find("new does not say that it is lab"), std::string::npos);
  site.words = {{"main", "another"}, {"new", std::nullopt}};
  EXPECT_NE(site.prove().error().hint().find("SET anclora:dr:sandbox lab"), std::string::npos);
  site.words["main"] = "lab";
  ASSERT_TRUE(site.prove());
  EXPECT_EQ(site.prove()->at(0).name, "unattended");
}

}  // namespace
}  // namespace anclora::respond
