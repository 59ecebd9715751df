"""anclora drill: a restore with a repository and nothing else; a scenario in a sandbox; measured, recorded, cleaned up."""
import json
import os
import pathlib
import shutil
import signal
import time

from drill_lab import SLOW, Lab, replaced
from harness import PATIENCE


def filled(world):
    """A source under capture, with some keys."""
    source = world.redis("source", "--repl-ping-replica-period", "3600")  # it is idle when it does nothing
    repo = world.init(world.folder / "repo")
    world.capture(repo, source)
    world.wait_protected(repo, 0)
    client = source.client()
    client.pipeline([("SET", f"key:{n}", "x" * 100) for n in range(3000)])
    client("RPUSH", "bull:jobs:wait", *range(50))
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    return source, repo, client


def records(world):
    return sorted((world.folder / "state" / "drills").glob("*/record.json"))


def test_a_restore_drill_needs_a_repository_only(world):
    filling = time.monotonic()
    source, repo, client = filled(world)
    begun = time.monotonic()
    drill = world.run("drill", "run", "restore", "--repo", repo, "--json").json()
    ended = time.monotonic()
    assert drill["passed"] and drill["reasons"] == [], drill
    assert drill["facts"]["keys"] == str(client("DBSIZE")) == "3001", drill["facts"]
    assert drill["facts"]["digest"] == source.digest().strip(), drill["facts"]
    checks = {check["name"]: check for check in drill["checks"]}
    assert {"offset", "replication errors", "keys", "digest"} <= set(checks), checks
    assert 0 < drill["achieved"]["rto_seconds"] < ended - begun, drill["achieved"]
    assert 0 <= drill["achieved"]["rpo_seconds"] < ended - filling and drill["achieved"]["rpo_basis"] == "clock", drill["achieved"]
    assert drill["cleanup"]["done"], drill
    # The same against the live source: an idle one that is wholly protected loses nothing.
    now = world.run("drill", "run", "restore", "--repo", repo, "--source", source.url, "--rpo", "1s", "--rto", "1h",
                    "--json").json()
    assert now["achieved"]["rpo_seconds"] == 0 and now["achieved"]["rpo_writes"] == 0, now["achieved"]
    assert now["achieved"]["rpo_basis"] == "source" and now["trend"]["passed_in_a_row"] == 2, now
    listed = world.run("drill", "list", "--json").json()
    assert [each["id"] for each in listed["drills"]] == [drill["id"], now["id"]], listed
    assert listed["damage"] == [] and listed["left_open"] == []
    assert world.run("drill", "show", drill["id"], "--json").json()["facts"] == drill["facts"]
    assert "passed" in world.run("drill", "show").out
    world.run("drill", "report", "--format", "json", "--out", world.folder / "report.json")
    assert json.loads((world.folder / "report.json").read_text())["id"] == now["id"]


def test_keys_that_expire_during_a_restore_drill_do_not_fail_it(world):
    source, repo, client = filled(world)
    client.pipeline([("SET", f"lock:{n}", "x", "PX", 3000 + n) for n in range(60_000)])  # one each millisecond
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    drill = world.run("drill", "run", "restore", "--repo", repo, "--json", check=False).json()
    assert drill["passed"], drill


def test_a_restore_drill_fails_when_an_objective_is_missed(world):
    source, repo, _ = filled(world)
    missed = world.run("drill", "run", "restore", "--repo", repo, "--rto", "1ms", "--json", check=False)
    assert missed.code == 1 and not missed.json()["passed"], missed
    assert "misses the objective" in missed.json()["reasons"][0], missed
    time.sleep(2)
    past = world.run("drill", "run", "restore", "--repo", repo, "--at", "1s ago", "--rpo", "500ms", "--json", check=False)
    assert past.code == 1 and any("RPO" in reason for reason in past.json()["reasons"]), past
    nothing = world.run("drill", "run", "restore", "--repo", world.folder / "nowhere", "--json", check=False)
    assert nothing.code != 0, nothing
    assert [each["passed"] for each in world.run("drill", "list", "--json").json()["drills"]] == [False] * 3
    assert world.run("drill", "run", "restore", check=False).code == 2


def test_a_damaged_repository_fails_the_drill(world):
    _, repo, _ = filled(world)
    base = max((path for path in pathlib.Path(repo).rglob("*") if path.is_file() and "base" in str(path)),
               key=lambda path: path.stat().st_size)
    data = bytearray(base.read_bytes())
    data[len(data) // 2] ^= 1
    base.chmod(0o600)
    base.write_bytes(data)
    failed = world.run("drill", "run", "restore", "--repo", repo, "--json", check=False)
    assert failed.code == 1 and not failed.json()["passed"] and failed.json()["cleanup"]["done"], failed


def test_a_changed_record_shows(world):
    _, repo, _ = filled(world)
    mistyped = world.run("drill", "run", "restore", "--repo", repo, "--name", "defualt", check=False)
    assert mistyped.code == 3 and "it holds: default" in mistyped.err and not records(world), mistyped
    for _ in range(3):
        world.run("drill", "run", "restore", "--repo", repo, "--no-digest")
    first = min(records(world), key=lambda path: json.loads(path.read_text())["n"])
    text = first.read_text()
    first.write_text(text.replace('"passed":true', '"passed":false', 1))
    listed = world.run("drill", "list", "--json", check=False)
    assert listed.code == 12 and listed.json()["damage"] and len(listed.json()["drills"]) == 2, listed
    first.write_text(text)
    assert world.run("drill", "list").code == 0
    shutil.rmtree(first.parent)
    assert world.run("drill", "list", check=False).code == 12
    # A drill is recorded all the same.
    assert world.run("drill", "run", "restore", "--repo", repo, "--no-digest", "--json").json()["number"] == 4


def killed_in_the_middle(world, repo, work):
    """A drill that is dead while its scratch server's folder is there; one that ends too soon is followed by another."""
    for _ in range(50):
        process = world.spawn("drill", "run", "restore", "--repo", repo, "--work-dir", work, log="drill.log")
        world.wait_for("the scratch server's folder",
                       lambda: list(work.glob("anclora-drill-*/*")) or process.poll() is not None, every=0.005)
        process.kill()
        if process.wait() == -signal.SIGKILL and list(work.glob("anclora-drill-*/*")):
            return
    raise AssertionError("no drill was in its middle when it was killed")


def test_a_killed_restore_drill_is_cleaned_up_by_the_next_one(world):
    _, repo, _ = filled(world)
    work = world.folder / "work"
    work.mkdir()
    for _ in range(3):
        killed_in_the_middle(world, repo, work)
        assert list(work.iterdir())
        assert len(world.run("drill", "list", "--json").json()["left_open"]) == 1
        world.run("drill", "run", "restore", "--repo", repo, "--work-dir", work)
        assert not list(work.iterdir())
    drills = world.run("drill", "list", "--json").json()["drills"]
    told = [(each["passed"], each["interrupted"]) for each in drills]
    assert told.count((False, True)) == 3 and set(told) == {(False, True), (True, False)} and told[-1] == (True, False), drills
    assert world.run("drill", "clean", "--json").json() == {"cleaned": 0}


def people_write_what_only_they_know(world, drill):
    world.run("drill", "write", "root_cause", "played by us", "--as", "ada")
    world.run("drill", "write", "went_well", "found at once", "--drill", drill, "--as", "ada")
    added = world.run("drill", "action", "add", "alarm on memory", "--owner", "ada", "--due", "2026-12-01", "--as", "ada", "--json")
    assert added.json() == {"drill": drill, "kind": "action.added", "number": 4, "item": "a1"}, added
    world.run("drill", "action", "done", "a1", "--evidence", "it rang", "--as", "ada")
    text = world.run("drill", "report").out
    assert all(words in text for words in ("found at once", "alarm on memory")), text
    assert "played by us" in world.run("drill", "report", "--json").out  # the test's own template has no root cause
    refused = world.run("drill", "write", "root_cause", "x", "--as", "nobody", check=False)
    assert refused.code == 2 and "ada" in refused.err, refused
    assert world.run("drill", "write", "gossip", "x", "--as", "ada", check=False).code == 2
    assert world.run("drill", "list", "--json").json()["damage"] == []  # the records are as they were


def test_a_scenario_is_rehearsed_twice_in_a_row_and_leaves_the_sandbox_as_it_was(world):
    began = time.monotonic()
    lab = Lab(world)
    before = world.run("plan", "show", lab.plan, "--format", "json").json()["scenarios"][0]
    assert before["verified"] is False and before["measured_rto_seconds"] is None, before
    for number in (1, 2):
        drill = world.run(*lab.words("--as", "ada"), "--json").json()
        assert drill["passed"] and drill["number"] == number, drill
        achieved = drill["achieved"]
        split = [achieved[f"{part}_seconds"] for part in ("detect", "decide", "act", "verify")]
        assert abs(sum(split) - achieved["rto_seconds"]) < 0.01 and 0.5 < split[0] < time.monotonic() - began, achieved
        assert 0 <= achieved["rpo_seconds"] < time.monotonic() - began, achieved
        assert [check["name"] for check in drill["checks"]] == ["separation", "detected", "recovered"], drill["checks"]
        assert drill["cleanup"]["done"] and lab.lives() and lab.spare.client()("DBSIZE") == 0, drill
        parts = [(step["part"], step["id"], step["state"]) for step in drill["steps"]]
        assert ("inject", "lose", "done") in parts and ("cleanup", "tidy", "done") in parts, parts
    assert lab.calls() == ["start", "lose", "again", "lose", "again"]
    report = world.folder / "report.html"
    world.run("drill", "report", "--out", report, "--language", "es")
    assert drill["id"] in report.read_text() and "redis.restore" in report.read_text()
    people_write_what_only_they_know(world, drill["id"])
    after = world.run("plan", "show", lab.plan, "--format", "json").json()["scenarios"][0]
    assert after["verified"] is True and after["measured_rto_seconds"] == achieved["rto_seconds"], after
    schedule = world.run("drill", "schedule", "--plan", lab.plan, "--json").json()["schedule"]
    assert [(each["overdue"], each["unverified"]) for each in schedule] == [(False, False)], schedule
    lab.plan.write_text(lab.plan.read_text() + "# edited\n")
    assert world.run("plan", "show", lab.plan, "--format", "json").json()["scenarios"][0]["verified"] is False
    assert world.run("drill", "schedule", "--plan", lab.plan, "--json").json()["schedule"][0]["unverified"] is True


def test_a_drill_outside_of_a_sandbox_does_nothing(world):
    lab = Lab(world)
    for environment, code in (("production", 5), ("elsewhere", 3)):
        refused = world.run("drill", "run", "lost", "--plan", lab.plan, "--on", environment, "--yes", check=False)
        assert refused.code == code, refused
    assert world.run("drill", "run", "lost", "--plan", lab.plan, "--yes", check=False).code == 2
    assert lab.calls() == ["start"] and not records(world)


def test_production_that_hung_when_the_sandbox_was_proven_is_recognized(world):
    lab = Lab(world)
    door = world.proxy(lab.port)
    replaced(lab.plan, f"redis://127.0.0.1:{door.port}", world.redis("another").url)
    refused = world.run(*lab.words(), check=False)
    assert refused.code == 5 and "both are run_id" in refused.err, refused
    pid = int((lab.folder / "pid").read_text())
    os.kill(pid, signal.SIGSTOP)
    try:
        drill = world.spawn(*lab.words(), log="drill.log")
        world.wait_for("a proof without its run_id", lambda: "waiting until the sandbox" in (world.folder / "drill.log").read_text())
    finally:
        os.kill(pid, signal.SIGCONT)
    assert drill.wait(PATIENCE) == 1 and lab.lives() and lab.calls() == ["start"], world.logs()
    assert "not cleaned up: this is not proven to be a sandbox" in (world.folder / "drill.log").read_text()


def test_a_missed_objective_and_a_failed_cleanup_fail_the_drill(world):
    lab = Lab(world, rto="8s", more=SLOW)
    missed = world.run(*lab.words("--json"), check=False)
    assert missed.code == 1 and any("RTO" in reason for reason in missed.json()["reasons"]), missed
    assert missed.json()["cleanup"]["done"] and lab.lives()
    lab.write(cleanup="fail")  # the plan was edited
    dirty = world.run(*lab.words("--json"), check=False)
    assert dirty.code == 1 and dirty.json()["cleanup"]["done"] is False, dirty
    assert any("not cleaned up" in reason for reason in dirty.json()["reasons"]), dirty


def test_a_killed_scenario_drill_is_cleaned_up(world):
    lab = Lab(world)
    for kill, cleaner in ((signal.SIGKILL, ("drill", "clean")), (signal.SIGTERM, None)):
        done = lab.calls().count("again")
        process = world.spawn(*lab.words(), log="drill.log")
        world.wait_for("the disaster", lambda: not lab.lives(), every=0.02)
        process.send_signal(kill)
        assert process.wait(PATIENCE) != 0
        if cleaner:
            assert not lab.lives() and len(world.run("drill", "list", "--json").json()["left_open"]) == 1
            assert world.run(*cleaner, check=False).code == 1
        assert lab.lives() and lab.calls().count("again") == done + 1, (lab.calls(), world.logs())
        last = world.run("drill", "list", "--json").json()["drills"][-1]
        assert last["interrupted"] and not last["passed"] and last["cleaned"], last
    assert world.run("drill", "clean", "--json").json() == {"cleaned": 0}
    assert world.run(*lab.words("--json")).json()["passed"]


def test_a_restore_drill_takes_repository_source_and_objectives_from_the_plan(world):
    lab = Lab(world)
    lab.client()("SET", "anclora:dr:beacon", f"{int(time.time() * 1e6)} 7")
    world.wait_protected(lab.repo, int(lab.client().info()["master_repl_offset"]))
    drill = world.run("drill", "run", "restore", "--plan", lab.plan, "--on", "lab", "--json").json()
    assert drill["passed"] and drill["service"] == "shop" and drill["environment"] == "lab", drill
    assert drill["objectives"] == {"severity": "critical", "rto_seconds": 300, "rto_max_seconds": 600, "rpo_seconds": 60}
    assert (drill["achieved"]["rpo_basis"], drill["achieved"]["rpo_writes"]) == ("beacon", 0), drill["achieved"]
    assert lab.calls() == ["start"] and lab.lives()


def test_a_stopped_drill_whose_cleanup_takes_too_long_says_what_is_left(world):
    lab = Lab(world, cleanup="hang")
    process = world.spawn(*lab.words("--clean-within", "1s"), log="drill.log")
    world.wait_for("the disaster", lambda: not lab.lives(), 60, every=0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 9, world.logs()
    said = (world.folder / "drill.log").read_text()
    assert "was not put back within 1.0 s" in said and "stays open, to do: tidy" in said, said
    assert not lab.lives() and len(world.run("drill", "list", "--json").json()["left_open"]) == 1
    (lab.folder / "go").touch()
    assert world.run("drill", "clean", check=False).code == 1 and lab.lives()
    last = world.run("drill", "list", "--json").json()["drills"][-1]
    assert last["interrupted"] and last["cleaned"], last
