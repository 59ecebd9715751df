"""anclora run: a scenario of exec steps on one machine; killed, resumed, approved from another terminal, taken over."""
import os
import pathlib
import re
import shutil
import signal
import sys
import time

from harness import PATIENCE

COUNTER = """import os, sys, time
name, end = sys.argv[1], time.monotonic() + float(sys.argv[2])
folder = os.environ["COUNT_DIR"]
with open(os.path.join(folder, name), "a") as count:
    count.write("x")
while time.monotonic() < end and os.path.isdir(folder) and not os.path.exists(os.path.join(folder, name + ".end")):
    time.sleep(min(0.05, max(0.0, end - time.monotonic())))
sys.exit(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
"""

PLAN = """version: 1
service: shop
objectives:
  severity:
    - {{id: critical, rto: 15m, rto_max: 30m}}
  data:
    - {{id: jobs, rpo: 5m, targets: [main]}}
sites:
  - {{id: here, primary: true}}
  - {{id: there}}
targets:
  - id: tools
    kind: command
    environment: [COUNT_DIR]
    allow:
      - {{id: count, argv: ["{python}", "{counter}"]}}
  - {{id: main, kind: redis, site: here, url: env:MAIN_URL}}
  - {{id: copies, kind: repository, site: there, url: "{repo}", passphrase_file: "{passphrase}"}}
environments:
  - id: lab
    sandbox: true
    targets:
      - id: tools
        kind: command
        environment: [COUNT_DIR]
        allow:
          - {{id: count, argv: ["{python}", "{counter}"]}}
      - {{id: main, kind: redis, url: env:LAB_URL}}
      - {{id: copies, kind: repository, url: env:LAB_REPO, passphrase_file: "{passphrase}"}}
backups:
  - {{id: capture, target: main, repository: copies, data: jobs, continuous: true, lag: 5s, keep: {{daily: 7d}}}}
probes:
  - {{id: answers, uses: probe.redis, with: {{target: main}}, from: [here, there], every: 5s, timeout: 2s}}
detection:
  - {{id: gone, all: [{{probe: answers, is: down, at_least: 2}}], for: 15s, scenario: lost}}
scenarios:
  - id: lost
    title: Lost
    severity: critical
    impact: none
    undo_window: 10m
    declare: {{roles: [oncall, lead], timeout: 1s, on_timeout: proceed}}
    steps:
{steps}
contacts:
  - {{id: ada, name: Ada, roles: [oncall], channels: [{{kind: command, argv: [/bin/true]}}, {{kind: webhook, url: "env:HOOK"}}]}}
  - {{id: bob, name: Bob, roles: [lead], channels: [{{kind: command, argv: [/bin/true]}}, {{kind: webhook, url: "env:HOOK"}}]}}
escalation:
  - {{id: first, severity: critical, contacts: [ada, bob], when: after, after: 0s, acknowledge_within: 3m}}
"""


class Site:
    def __init__(self, world, steps):
        self.world = world
        self.counts = world.folder / "counts"
        self.counts.mkdir()
        world.environment["COUNT_DIR"] = str(self.counts)
        self.counter = world.folder / "counter.py"
        self.counter.write_text(COUNTER)
        self.plan = world.folder / "plan.yaml"
        names = [re.match(r"\{id: (\w+)", each).group(1) for each in steps]
        steps = [*steps, f"{{id: look, uses: exec, needs: [{', '.join(names)}], "
                         "with: {target: tools, argv: [COUNT, look, '0'], check: true}, budget: 5s, timeout: 1m}"]
        self.repo = world.init(world.folder / "repo")
        text = "\n".join("      - " + each.replace("COUNT", f'"{sys.executable}", "{self.counter}"') for each in steps)
        self.plan.write_text(PLAN.format(python=sys.executable, counter=self.counter, steps=text, repo=self.repo,
                                         passphrase=world.passphrase))

    def count(self, name):
        path = self.counts / name
        return len(path.read_text()) if path.exists() else 0

    def start(self, *options, log="run.log"):
        return self.world.spawn("run", "start", "lost", "--plan", self.plan, "--yes", "--as", "ada", *options, log=log)

    def status(self, **kwargs):
        return self.world.run("run", "status", "--json", **kwargs).json()

    def step(self, name):
        return next(step for step in self.status()["steps"] if step["id"] == name)

    def wait_copied(self):
        """Returns once the repository has the run's journal as it is: its copy trails by less than a second."""
        def newest(folder, pattern):
            return max(path.stat().st_mtime for path in folder.rglob(pattern) if path.is_file())

        def copied():
            last = newest(pathlib.Path(self.repo), "*")
            return last >= newest(self.world.folder / "state" / "runs", "journal-*.jsonl") and time.time() - last > 2
        self.world.wait_for("a copy of the run", copied)

    def wait_state(self, name, state, timeout=PATIENCE):
        def there():
            outcome = self.world.run("run", "status", "--json", check=False)
            return outcome.code == 0 and any(s["id"] == name and s["state"] == state for s in outcome.json()["steps"])
        self.world.wait_for(f"{name} is {state}", there, timeout)


def settings_plan(world, window):
    """A run of one config.put; returns the settings file and what starts the run."""
    site = Site(world, [step("one")])
    path = world.folder / "service.env"
    path.write_text("URL=redis://:old-password@a\n")
    put = f"{{id: put, uses: config.put, with: {{target: settings, key: URL, value: \"new\"}}, budget: 5s, timeout: 1m}}\n"
    site.plan.write_text(site.plan.read_text().replace("undo_window: 10m", f"undo_window: {window}")
                         .replace("environments:", f"  - {{id: settings, kind: configuration, driver: file, site: here, path: \"{path}\"}}\nenvironments:", 1)
                         .replace("    steps:\n", "    steps:\n      - " + put, 1))
    return site, path


def copies(path):
    return sorted(path.parent.glob(path.name + ".before-*"))


def step(name, needs="", seconds=0, code="", more=""):
    tail = f', "{code}"' if code else ""
    wanted = f"needs: [{needs}], " if needs else ""
    return (f'{{id: {name}, uses: exec, {wanted}with: {{target: tools, argv: [COUNT, {name}, "{seconds}"{tail}]}}, '
            f"budget: 5s, timeout: 30m{more}}}")


def finish(process, timeout=PATIENCE):
    return process.wait(timeout)


def test_runs_every_step_once_and_reports(world):
    site = Site(world, [step("one"), step("two"), step("three", "one, two")])
    outcome = world.run("run", "start", "lost", "--plan", site.plan, "--yes", "--as", "ada",
                        "--since", "2026-01-01T00:00:00Z", "--json")
    report = outcome.json()
    assert report["state"] == "finished", report
    assert [site.count(n) for n in ("one", "two", "three")] == [1, 1, 1]
    assert report["rto"]["achieved_seconds"] > 0 and report["rto"]["met"] is False, report["rto"]
    assert site.status()["steps"] == report["steps"]
    assert "the chain is whole" in world.run("run", "status", "--verify").out


def test_dry_run_changes_nothing_and_production_needs_yes(world):
    site = Site(world, [step("one")])
    outcome = world.run("run", "start", "lost", "--plan", site.plan, "--dry-run", "--json")
    assert outcome.json()["steps"][0]["call"].endswith("one 0"), outcome
    refused = world.run("run", "start", "lost", "--plan", site.plan, "--as", "ada", check=False)
    assert refused.code == 5 and "--dry-run" in refused.err, refused
    nobody = world.run("run", "start", "lost", "--plan", site.plan, "--yes", check=False)
    assert nobody.code == 2 and "ada, bob" in nobody.err, nobody
    nowhere = world.run("run", "start", "lost", "--plan", site.plan, "--on", "lba", "--as", "ada", check=False)
    assert nowhere.code == 3 and "has no environment lba" in nowhere.err and "it has: lab\n" in nowhere.err, nowhere
    assert site.count("one") == 0
    assert world.run("run", "status", check=False).code == 3


def test_failed_step_pauses_and_a_person_goes_on_from_another_terminal(world):
    site = Site(world, [step("bad", seconds=600, code="3"), step("late", seconds=600, code="3"), step("after", "bad")])
    process = site.start()
    world.wait_for("both", lambda: site.count("bad") == site.count("late") == 1)
    (site.counts / "bad.end").touch()
    site.wait_state("bad", "failed_paused")
    status = site.status()

    def printed(name):
        return f"anclora run resume --retry {name} --run {status['run']}" in (world.folder / "run.log").read_text()
    world.wait_for("the command for the first", lambda: printed("bad"))
    (site.counts / "late.end").touch()
    world.wait_for("and for one that fails while the run is paused", lambda: printed("late"))
    world.run("run", "done", "late", "--as", "bob", "--evidence", "saw it too")
    assert status["state"] == "waiting" and status["next_command"].startswith("anclora run resume --retry bad"), status
    assert site.count("after") == 0
    refused = world.run("run", "done", "bad", "--as", "zoe", "--evidence", "x", check=False)
    assert refused.code != 0 and "no contact zoe" in refused.err, refused
    world.run("run", "done", "bad", "--as", "bob", "--evidence", "saw it")
    assert finish(process) == 0, world.logs()
    assert site.count("bad") == 1 and site.count("after") == 1
    assert site.step("bad")["state"] == "manual_done" and site.step("bad")["evidence"] == "saw it"


def test_approval_by_another_than_the_starter_while_the_run_goes_on(world):
    site = Site(world, [step("gate", more=", approve: {roles: [lead, oncall], timeout: 5m}")])
    process = site.start()
    site.wait_state("gate", "awaiting_approval")
    typed = f"anclora run approve gate --run {site.status()['run']} --as NAME"
    world.wait_for("the command to type", lambda: typed in (world.folder / "run.log").read_text())
    own = world.run("run", "approve", "gate", "--as", "ada", check=False)
    assert own.code == 5 and "started this run" in own.err, own
    assert site.count("gate") == 0
    second = world.run("run", "start", "lost", "--plan", site.plan, "--yes", "--as", "bob", check=False)
    assert second.code == 4 and "is not over" in second.err, second
    world.run("run", "approve", "gate", "--as", "bob")
    assert finish(process) == 0, world.logs()
    assert site.count("gate") == 1


def test_a_question_to_a_runner_that_dies_does_not_wait_for_its_answer(world):
    site = Site(world, [step("gate", more=", approve: {roles: [lead, oncall], timeout: 5m}")])
    process = site.start()
    site.wait_state("gate", "awaiting_approval")
    process.send_signal(signal.SIGSTOP)
    asking = world.spawn("run", "approve", "gate", "--as", "bob", log="approve.log")
    world.wait_for("the request", lambda: list((world.folder / "state" / "runs").rglob("inbox/*.json")))
    process.send_signal(signal.SIGKILL)
    assert finish(asking) == 5, world.logs()
    assert "ended before it answered" in world.logs(), world.logs()
    assert finish(world.spawn("run", "resume", log="resume.log")) == 0, world.logs()
    assert site.count("gate") == 1


def test_kill_9_at_a_step_never_repeats_it_unasked(world):
    site = Site(world, [step("one"), step("slow", "one", seconds=600), step("last", "slow")])
    process = site.start()
    world.wait_for("the slow step has begun", lambda: site.count("slow") == 1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert site.status()["state"] == "interrupted"
    outcome = world.run("run", "resume", "--no-wait", check=False)
    assert outcome.code == 5, outcome
    status = site.status()
    assert site.step("slow")["state"] == "unknown" and site.count("slow") == 1, status
    assert status["next_command"].startswith("anclora run done slow"), status["next_command"]
    world.run("run", "done", "slow", "--as", "bob", "--evidence", "its marker is there")
    world.run("run", "resume")
    assert [site.count(n) for n in ("one", "slow", "last")] == [1, 1, 1]


def test_kill_9_at_many_moments_runs_no_step_twice(world):
    names = [f"s{i}" for i in range(6)]
    steps = [step(name, names[i - 1] if i else "") for i, name in enumerate(names)]
    site = Site(world, steps)
    seen = None
    for attempt in range(12):
        for path in site.counts.iterdir():
            path.unlink()
        process = site.start(log=f"run-{attempt}.log")
        time.sleep(0.03 + 0.07 * attempt)
        process.send_signal(signal.SIGKILL)
        process.wait()
        # Killed before it had begun a run.
        if world.run("run", "status", check=False).code == 3 or site.status()["run"] == seen:
            continue
        seen = site.status()["run"]
        for _ in range(10):
            outcome = world.run("run", "resume", "--no-wait", check=False)
            if outcome.code != 5:
                break
            for stuck in [s["id"] for s in site.status()["steps"] if s["state"] == "unknown"]:
                # A truthful person: done where its mark is there, again where it is not.
                if site.count(stuck):
                    world.run("run", "done", stuck, "--as", "bob", "--evidence", "its mark is there")
                else:
                    world.run("run", "resume", "--no-wait", "--retry", stuck, "--as", "bob", check=False)
        status = site.status()
        assert status["state"] == "finished", (attempt, status)
        counts = [site.count(name) for name in names]
        assert counts == [1] * len(names), (attempt, counts)


def test_a_changed_journal_is_shown(world):
    site = Site(world, [step("one")])
    world.run("run", "start", "lost", "--plan", site.plan, "--yes", "--as", "ada")
    journal = next((world.folder / "state" / "runs").glob("*/journal-000001.jsonl"))
    text = journal.read_text()
    plan = journal.parent / "plan.yaml"
    frozen = plan.read_text()
    plan.write_text(frozen + "# longer\n")
    outcome = world.run("run", "status", check=False)
    assert outcome.code == 12 and "plan.yaml was changed" in outcome.err, outcome
    plan.write_text(frozen)
    assert world.run("run", "status", "--verify").code == 0
    journal.write_text(text.replace('"actor"', '"actoR"') if '"actor"' in text else text.replace("exec", "exeC", 1))
    outcome = world.run("run", "status", "--verify", check=False)
    assert outcome.code == 12 and "journal-000001.jsonl:" in outcome.err, outcome
    journal.write_text("")
    outcome = world.run("run", "status", "--verify", check=False)
    assert outcome.code == 3 and "or its records are lost" in outcome.err and "--take-over --run lost-" in outcome.err, outcome


def test_work_by_hand_waits_for_its_evidence(world):
    site = Site(world, ['{id: hand, uses: people.manual, with: {text: "look at the console"}, budget: 1m, timeout: 5m}'])
    process = site.start()
    site.wait_state("hand", "running")
    world.wait_for("it asks", lambda: site.status()["state"] == "waiting")
    assert site.status()["next_command"].startswith("anclora run done hand")
    world.wait_for("the command to type", lambda: "  anclora run done hand --run " in (world.folder / "run.log").read_text())
    world.run("run", "done", "hand", "--as", "bob", "--evidence", "all green")
    assert finish(process) == 0, world.logs()


def test_survivor_on_another_machine_takes_over(world):
    site = Site(world, [step("one"), step("slow", "one", seconds=600), step("last", "slow")])
    process = site.start()
    world.wait_for("the slow step has begun", lambda: site.count("slow") == 1)
    run = site.status()["run"]
    site.wait_copied()
    process.send_signal(signal.SIGKILL)
    process.wait()
    there = {"ANCLORA_STATE_DIR": str(world.folder / "other-machine")}
    which = world.run("run", "resume", "--take-over", "--repo", site.repo, env=there, check=False)
    assert which.code == 2 and f"--run {run}" in which.err, which
    outcome = world.run("run", "resume", "--take-over", "--no-wait", "--run", run, "--repo", site.repo, env=there, check=False)
    assert outcome.code == 5, outcome
    status = world.run("run", "status", "--json", env=there).json()
    states = {s["id"]: s["state"] for s in status["steps"]}
    assert states == {"one": "done", "slow": "unknown", "last": "pending", "look": "pending"}, states
    assert status["generation"] == 2, status
    world.run("run", "done", "slow", "--as", "bob", "--evidence", "looked", env=there)
    # The other machine may have begun this one too, after its last words that were copied: a person knows that it had not.
    assert world.run("run", "resume", "--no-wait", env=there, check=False).code == 5
    assert site.count("last") == 0
    world.run("run", "resume", "--retry", "last", "--as", "bob", env=there)
    assert [site.count(n) for n in ("one", "slow", "last")] == [1, 1, 1]


def test_the_plans_own_repository_wins_over_the_variable(world):
    """A variable of another day must not put claims and copies where no other machine looks for them."""
    site = Site(world, [step("one")])
    other, there = world.init(world.folder / "other"), {"ANCLORA_STATE_DIR": str(world.folder / "other-machine")}
    kept = sorted(path for path in pathlib.Path(other).rglob("*"))
    outcome = world.run("run", "start", "lost", "--plan", site.plan, "--yes", "--as", "ada", env={"ANCLORA_REPO": other})
    assert f"the plan's repository is used, not ANCLORA_REPO's {other}" in outcome.err, outcome
    assert sorted(path for path in pathlib.Path(other).rglob("*")) == kept
    assert site.status()["state"] == "finished" and world.run("run", "status", "--verify").code == 0
    # The same place by another name is no difference; what is typed is meant.
    same = world.run("run", "status", "--verify", env={"ANCLORA_REPO": f"file://{site.repo}"})
    assert "note:" not in same.err, same
    typed = world.run("run", "status", "--verify", "--repo", other)
    assert f"--repo {other} is used, not the plan's repository" in typed.err, typed
    run = site.status()["run"]
    shutil.copytree(site.repo, other, dirs_exist_ok=True)
    refused = world.run("run", "resume", "--take-over", "--run", run, env={"ANCLORA_REPO": other, **there}, check=False)
    assert refused.code == 2 and "--repo REPO" in refused.err, refused
    assert not (world.folder / "other-machine" / "runs").exists()


def test_former_runner_changes_nothing_after_a_take_over(world):
    site = Site(world, [step("slow", seconds=600), step("last", "slow")])
    process = site.start()
    world.wait_for("the slow step has begun", lambda: site.count("slow") == 1)
    run = site.status()["run"]
    site.wait_copied()
    there = {"ANCLORA_STATE_DIR": str(world.folder / "other-machine")}
    world.run("run", "resume", "--take-over", "--no-wait", "--run", run, "--repo", site.repo, env=there, check=False)
    (site.counts / "slow.end").touch()
    assert finish(process) == 11, world.logs()
    assert site.count("last") == 0


def test_a_repository_that_is_away_does_not_stop_the_run(world):
    site = Site(world, [step("slow", seconds=2), step("next", "slow", seconds=3), step("last", "next")])
    process = site.start()
    world.wait_for("the slow step has begun", lambda: site.count("slow") == 1)
    os.rename(site.repo, site.repo + ".away")
    assert finish(process) == 0, world.logs()
    os.rename(site.repo + ".away", site.repo)
    assert site.count("last") == 1


def test_a_copy_of_old_settings_is_kept_while_an_undo_may_want_it(world):
    site, path = settings_plan(world, "10m")
    assert finish(site.start()) == 0
    run = site.status()["run"]
    [copy] = copies(path)
    assert copy.read_text() == "URL=redis://:old-password@a\n" and copy.stat().st_mode & 0o077 == 0
    assert world.run("run", "clean").out == "nothing to remove\n" and copies(path) == [copy]
    world.run("run", "undo", "put", "--as", "bob")  # put back, and no longer needed
    assert path.read_text() == "URL=redis://:old-password@a\n" and copies(path) == []
    assert finish(site.start(log="again.log")) == 0
    again = site.status()["run"]
    assert again != run and len(copies(path)) == 1
    assert world.run("run", "clean", "--run", again, "--json").json() == {"removed": [str(copy).replace(run, again)]}
    assert copies(path) == []
    undone = world.run("run", "undo", "put", "--as", "bob", check=False)
    assert path.read_text() == "URL=new\n" and "what was before is not known any more" in undone.out, undone


def test_without_an_undo_window_a_copy_of_old_settings_goes_with_the_run(world):
    site, path = settings_plan(world, "0s")
    assert finish(site.start(log="run.log")) == 0
    assert path.read_text() == "URL=new\n" and copies(path) == []
    assert "no undo can ask for it any more" in (world.folder / "run.log").read_text()


def test_clean_tells_every_run_that_it_cannot_read(world):
    site = Site(world, [step("one")])
    for log in ("first.log", "second.log"):
        assert finish(site.start(log=log)) == 0
    runs = sorted((world.folder / "state" / "runs").glob("lost-*"))
    for run in runs:
        (run / "plan.yaml").write_text(site.plan.read_text() + "# changed\n")
    outcome = world.run("run", "clean", check=False)
    assert outcome.code == 12 and all(run.name in outcome.err for run in runs), outcome
