#include "respond/actions/service_control.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/subprocess.h"
#include "base/testing/temporary_directory.h"
#include "base/testing/witness.h"
#include "respond/actions/probe_action.h"
#include "respond/actions/service_action.h"
#include "respond/actions/supervisor_control.h"
#include "respond/testing/lone_step.h"

namespace anclora::respond {
namespace {

using testing::LoneStep;

TEST(SupervisedProcesses, AreNamedAsForSupervisorctl) {
  const std::vector<SupervisedProcess> all = {
      {"web:web-0", "web", "RUNNING"}, {"web:web-1", "web", "STOPPED"}, {"mail", "mail", "STARTING"}};
  const auto names = [&](const std::vector<std::string>& programs) {
    std::string text;
    const auto selected = select_processes(all, programs);
    for (const auto& process : *selected) text += process.name + " ";
    return text;
  };
  EXPECT_EQ(names({"web:*"}), "web:web-0 web:web-1 ");
  EXPECT_EQ(names({"mail", "web:web-1"}), "mail web:web-1 ");
  EXPECT_EQ(names({"mail:*", "all"}), "mail web:web-0 web:web-1 ");
  for (const std::string unknown : {"web", "web:", "web:web-2", "x:*", ""}) {
    const auto selected = select_processes(all, {"mail", unknown});
    ASSERT_FALSE(selected.has_value()) << unknown;
    EXPECT_EQ(selected.error().message(), "supervisord has no program " + unknown);
  }
}

TEST(SupervisedProcesses, AreCountedByWhatRunsAndWhatIsOnItsWay) {
  const ServiceState state = service_state({{"a", "a", "RUNNING"},
                                            {"b", "b", "STOPPED"},
                                            {"c", "c", "STARTING"},
                                            {"d", "d", "BACKOFF"},
                                            {"e", "e", "FATAL"}});
  EXPECT_EQ(state.running, 1U);
  EXPECT_EQ(state.between, 2U);
  EXPECT_EQ(state.said, "1 running; b STOPPED, c STARTING, d BACKOFF, e FATAL");
}

// A real supervisord in a folder of its own, with two processes of one program.
class SupervisorTest : public ::testing::Test {
 protected:
  // `ready`: files in the folder that its two processes make once they can be told to stop.
  explicit SupervisorTest(const std::string& command = "sleep 1000", const std::string& more = "stopwaitsecs=1\n",
                          const std::vector<std::string>& ready = {}) {
    const std::string text =
        "[unix_http_server]\nfile=" + (folder / "s.sock") +
        "\n[supervisord]\nnodaemon=true\nlogfile=" + (folder / "log") + "\npidfile=" + (folder / "pid") +
        "\n[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = "
        "supervisor.rpcinterface:make_main_rpcinterface\n[supervisorctl]\nserverurl=unix://" +
        (folder / "s.sock") + "\n[program:web]\ncommand=" + command + "\ndirectory=" + folder.path() +
        "\nnumprocs=2\nprocess_name=web-%(process_num)d\nstartsecs=0\nautostart=true\n" + more;
    auto file = posix_file_system().create(config).value();
    EXPECT_TRUE(file->append(text).has_value());
    EXPECT_TRUE(file->close().has_value());
    daemon = Subprocess::start(
                 {.argv = {"supervisord", "-c", config}, .working_directory = {}, .output_file = folder / "out"})
                 .value();
    const auto look = make_service_action("service.start", posix_file_system(), system_random());
    LoneStep step = step_for("service.start");
    for (int i = 0; i < 3'000; ++i) {
      const auto seen = look->probe(step);
      const bool all_ready = std::ranges::all_of(
          ready, [&](const std::string& name) { return posix_file_system().stat(folder / name).has_value(); });
      if (all_ready && seen.has_value() && seen->done == Done::kYes) break;
      system_clock().sleep_for(std::chrono::milliseconds(50));
    }
  }
  // Killed, it would leave its processes behind.
  ~SupervisorTest() override {
    daemon->signal(SIGTERM);
    EXPECT_TRUE(daemon->wait(std::chrono::seconds(60)).has_value())
        << posix_file_system().read_all(folder / "log").value_or("");
  }
  LoneStep step_for(const std::string& uses) {
    LoneStep step(uses, "{target: web}");
    step.add_target("web", "service", "{driver: supervisor, config: " + config + ", programs: [\"web:*\"], count: 2}");
    return step;
  }
  Result<Outcome> run(const std::string& uses) {
    LoneStep step = step_for(uses);
    const auto action = make_service_action(uses, posix_file_system(), system_random());
    ASSIGN_OR_RETURN(const Outcome outcome, action->execute(step));
    RETURN_IF_ERROR(action->verify(step));
    return outcome;
  }
  TemporaryDirectory folder;
  std::string config = folder / "supervisord.conf";
  std::unique_ptr<Subprocess> daemon;
};

TEST_F(SupervisorTest, StopsStartsAndRestartsEveryInstance) {
  const auto stopped = run("service.stop");
  ASSERT_TRUE(stopped.has_value()) << stopped.error().message();
  EXPECT_EQ(stopped->outputs.at("running"), "0");
  LoneStep again = step_for("service.stop");
  const auto stop = make_service_action("service.stop", posix_file_system(), system_random());
  EXPECT_EQ(stop->probe(again)->done, Done::kYes);
  ASSERT_TRUE(stop->undo(again).has_value());
  EXPECT_EQ(stop->probe(again)->done, Done::kNo);
  EXPECT_EQ(run("service.restart")->outputs.at("running"), "2");
  EXPECT_EQ(run("service.start")->outputs.at("running"), "2");
}

TEST_F(SupervisorTest, ScalesToExactlySoManyAndBack) {
  const auto action = make_service_action("service.scale", posix_file_system(), system_random());
  LoneStep one("service.scale", "{target: web, count: 1}");
  one.add_target("web", "service", "{driver: supervisor, config: " + config + ", programs: [\"web:*\"], count: 2}");
  EXPECT_EQ(action->probe(one)->done, Done::kNo);
  const auto outcome = action->execute(one);
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message();
  EXPECT_TRUE(action->verify(one).has_value());
  EXPECT_EQ(action->probe(one)->done, Done::kYes);
  LoneStep recorded = step_for("service.scale");
  ASSERT_TRUE(action->execute(recorded).has_value());
  EXPECT_EQ(action->probe(recorded)->outputs.at("running"), "2");
  ASSERT_TRUE(action->undo(recorded).has_value());
  EXPECT_EQ(action->probe(one)->done, Done::kYes);
  LoneStep three("service.scale", "{target: web, count: 3}");
  three.add_target("web", "service", "{driver: supervisor, config: " + config + ", programs: [\"web:*\"]}");
  EXPECT_EQ(action->execute(three).error().kind(), ErrorKind::kUnsupported);
}

TEST_F(SupervisorTest, IsCountedByAProbe) {
  const auto action = make_probe_action({system_dialer(), posix_file_system(), system_random(), {}, {}});
  LoneStep step("probe.service", "{target: web, at_least: 2}");
  step.add_target("web", "service", "{driver: supervisor, config: " + config + ", programs: [\"web:*\"]}");
  EXPECT_EQ(action->execute(step)->outputs.at("running"), "2");
  ASSERT_TRUE(run("service.stop").has_value());
  Result<Outcome> down = Outcome{};
  // As soon as this machine can: it looks until its time is over, and supervisord has to answer within that.
  for (auto within = std::chrono::seconds(1); within < std::chrono::seconds(60); within *= 2) {
    step.set_deadline(within);
    down = action->execute(step);
    if (down.has_value() || down.error().message().find("down, 0 running") != std::string::npos) break;
  }
  ASSERT_FALSE(down.has_value());
  EXPECT_NE(down.error().message().find("down, 0 running"), std::string::npos) << down.error().message();
}

TEST_F(SupervisorTest, IsFoundThroughALinkToItsConfiguration) {
  std::filesystem::create_symlink(config, folder / "link.conf");
  LoneStep step("service.start", "{target: web}");
  step.add_target("web", "service",
                  "{driver: supervisor, config: " + (folder / "link.conf") + ", programs: [\"web:*\"]}");
  const auto seen = make_service_action("service.start", posix_file_system(), system_random())->probe(step);
  ASSERT_TRUE(seen.has_value()) << seen.error().to_string();
  EXPECT_EQ(seen->current, "2 running");
}

TEST_F(SupervisorTest, IsReachedByItsSocketAlone) {
  LoneStep step("service.stop", "{target: web}");
  step.add_target("web", "service",
                  "{driver: supervisor, url: \"unix://" + (folder / "s.sock") + "\", programs: [\"web:*\"]}");
  const auto stop = make_service_action("service.stop", posix_file_system(), system_random());
  EXPECT_EQ(stop->probe(step)->current, "2 running");
  ASSERT_TRUE(stop->execute(step).has_value());
  EXPECT_EQ(stop->probe(step)->done, Done::kYes);
}

TEST_F(SupervisorTest, NamesAProgramThatIsNotThere) {
  LoneStep step("service.stop", "{target: web}");
  step.add_target("web", "service", "{driver: supervisor, config: " + config + ", programs: [webb]}");
  const auto outcome = make_service_action("service.stop", posix_file_system(), system_random())->execute(step);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().message(), "supervisord has no program webb");
  EXPECT_EQ(outcome.error().hint(), "it has: web:web-0, web:web-1");
}

TEST_F(SupervisorTest, TakesNoSilenceForStopped) {
  daemon->signal(SIGTERM);
  ASSERT_TRUE(daemon->wait(std::chrono::seconds(60)).has_value());
  LoneStep step = step_for("service.stop");
  const auto seen = make_service_action("service.stop", posix_file_system(), system_random())->probe(step);
  ASSERT_FALSE(seen.has_value());
  EXPECT_EQ(seen.error().kind(), ErrorKind::kUnavailable) << seen.error().to_string();
  EXPECT_NE(seen.error().message().find("supervisord at unix://"), std::string::npos) << seen.error().message();
}

// The supervisor itself looks at its processes once a second unless it is asked.
TEST_F(SupervisorTest, StopsAndStartsInTheTimeThatItsProcessesTake) {
  Witness witness;
  Duration shortest = std::chrono::hours(1);
  for (int i = 0; i < 5 && shortest > std::chrono::milliseconds(500); ++i) {
    // A process that is no program yet (between fork and exec) loses the signal, and is killed later.
    system_clock().sleep_for(std::chrono::seconds(1));
    const MonoTime begun = system_clock().mono_now();
    ASSERT_TRUE(run("service.stop").has_value());
    ASSERT_TRUE(run("service.start").has_value());
    shortest = std::min(shortest, system_clock().mono_now() - begun);
  }
  EXPECT_LT(shortest, witness.limit(std::chrono::seconds(1)));
}

TEST_F(SupervisorTest, FailsInTimeWhenFewerRunThanWanted) {
  LoneStep step("service.start", "{target: web, count: 3}");
  step.add_target("web", "service", "{driver: supervisor, config: " + config + ", programs: [\"web:*\"]}");
  step.set_deadline(std::chrono::seconds(1));
  const auto outcome = make_service_action("service.start", posix_file_system(), system_random())->execute(step);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().kind(), ErrorKind::kDeadlineExceeded);
}

const std::vector<std::string> kBothReady = {"ready-0", "ready-1"};

// Its programs answer no SIGTERM, and the supervisor itself would wait for ten minutes.
class StubbornSupervisorTest : public SupervisorTest {
 protected:
  StubbornSupervisorTest()
      : SupervisorTest("bash -c 'trap \"\" TERM; touch ready-%(process_num)d; while :; do sleep 0.1; done'",
                       "stopwaitsecs=600\n", kBothReady) {}
};

TEST_F(StubbornSupervisorTest, KillsWhatDoesNotStopWithinTheGrace) {
  LoneStep step("service.stop", "{target: web, grace: 1s}");
  step.add_target("web", "service", "{driver: supervisor, config: " + config + ", programs: [\"web:*\"]}");
  step.set_deadline(std::chrono::seconds(60));
  const auto stop = make_service_action("service.stop", posix_file_system(), system_random());
  const MonoTime start = system_clock().mono_now();
  const auto outcome = stop->execute(step);
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message();
  EXPECT_EQ(outcome->outputs.at("running"), "0");
  EXPECT_GE(system_clock().mono_now() - start, std::chrono::seconds(1));
  ASSERT_EQ(step.changes.size(), 2U);
  EXPECT_NE(step.changes.back().find("kill web:*"), std::string::npos) << step.changes.back();
}

// What stops still, when it is to start again: until the file "go" is there.
class SlowSupervisorTest : public SupervisorTest {
 protected:
  SlowSupervisorTest()
      : SupervisorTest(
            "bash -c 'trap \"while ! test -e go; do sleep 0.1; done; exit 0\" TERM; "
            "touch ready-%(process_num)d; while :; do sleep 0.1; done'",
            "stopwaitsecs=10\n", kBothReady) {}
};

TEST_F(SlowSupervisorTest, StartsWhatIsStillStopping) {
  LoneStep stop = step_for("service.stop");
  stop.set_deadline(std::chrono::milliseconds(100));
  ASSERT_FALSE(make_service_action("service.stop", posix_file_system(), system_random())->execute(stop).has_value());
  std::thread letting_go([&] {
    system_clock().sleep_for(std::chrono::seconds(1));  // it is being started by then
    EXPECT_TRUE(posix_file_system().create(folder / "go").has_value());
  });
  const auto started = run("service.start");
  letting_go.join();
  ASSERT_TRUE(started.has_value()) << started.error().to_string();
  EXPECT_EQ(started->outputs.at("running"), "2");
}

// A program in front of the real ones that writes down how it is called.
TEST(ComposeControl, HandsTheGraceToDocker) {
  const TemporaryDirectory folder;
  auto script = posix_file_system().create(folder / "docker").value();
  ASSERT_TRUE(script->append("#!/bin/sh\necho \"$*\" >> " + (folder / "calls") + "\n").has_value());
  ASSERT_TRUE(script->close().has_value());
  std::filesystem::permissions(folder / "docker", std::filesystem::perms(0755));
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", (folder.path() + ":" + path).c_str(), 1);
  LoneStep step("service.stop", "{target: web, grace: 1500ms}");
  step.add_target("web", "service", "{driver: compose, project: /srv/web.yaml, services: [web]}");
  const auto outcome = make_service_action("service.stop", posix_file_system(), system_random())->execute(step);
  ::setenv("PATH", path.c_str(), 1);
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message();
  const Bytes calls = posix_file_system().read_all(folder / "calls").value();
  EXPECT_TRUE(calls.starts_with("compose --file /srv/web.yaml stop --timeout 2 web\n")) << calls;
}

TEST_F(SupervisorTest, RefusesADriverThatThisVersionLacks) {
  LoneStep step("service.stop", "{target: web}");
  step.add_target("web", "service", "{driver: ecs}");
  const auto outcome = make_service_action("service.stop", posix_file_system(), system_random())->execute(step);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().kind(), ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace anclora::respond
