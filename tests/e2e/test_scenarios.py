"""The two scenarios of plans/local.yaml, played and recovered for real: BullMQ, a replica, a capture, supervisor."""
import contextlib
import json
import pathlib
import shutil
import subprocess
import time

from harness import PATIENCE
from scenario_site import PLAN, ROOT, ScenarioSite

# A runner dies after each of these in turn, in one and the same recovery.
KILLS_LOST = ["step.intent fence", "step.change promote", "step.outcome promote", "step.verified point", "step.change settings",
              "step.outcome settings", "step.change start", "step.verified start", "step.change canary",
              "step.intent restored:api-answers"]
KILLS_RESTORED = ["step.change data", "step.outcome data", "step.verified check-data", "step.outcome start"]
KILLS_DAMAGED = ["step.change fence", "step.change stop", "step.change evidence", "step.note good", "step.outcome good", "step.change data",
                 "approval.requested switch", "step.change start", "step.outcome canary"]

# BullMQ promises at least once: what was in flight when its Redis died is sent again. Two instances have five jobs each.
SENT_AGAIN = 10


def states(status):
    return {step["id"]: step["state"] for step in status["steps"]}


def assert_recovered(site, status, redis, audit_lost=0, duplicates=0):
    assert status["state"] == "finished", status
    assert set(states(status).values()) == {"done"}, states(status)
    assert site.configured() == site.local[f"{redis}_URL"]
    assert site.site.command("canary")["state"] == "consumed"
    rto, rpo = status["rto"], status["rpo"]
    assert 0 < rto["achieved_seconds"] < status["rto_seconds"], rto
    parts = sum(rto[name] or 0 for name in ("detect_seconds", "decide_seconds", "act_seconds", "verify_seconds"))
    assert abs(parts - rto["achieved_seconds"]) < 0.01, rto
    assert rpo["seconds"] is not None, rpo
    audit = site.site.command("audit", "--wait", 20 if audit_lost else PATIENCE)
    assert audit["lost"] <= audit_lost and audit["duplicates"] <= duplicates, audit
    print(f"{status['scenario']}: RTO {rto['achieved_seconds']:.1f} s {json.dumps(rto)}, lost {json.dumps(rpo)}, "
          f"audit {audit['accepted']} accepted, {audit['lost']} lost, {audit['duplicates']} twice, {len(site.kills)} kills", flush=True)
    return audit


def test_a_lost_redis_is_recovered_from_its_replica_though_the_runner_is_killed_at_every_boundary(world):
    site = ScenarioSite(world)
    witness = world.witness()
    site.inject("redis-lost")
    status = site.recover("redis-lost", KILLS_LOST)
    assert len(site.kills) >= len(KILLS_LOST) - 2, site.kills
    assert_recovered(site, status, "REPLICA", duplicates=SENT_AGAIN)
    assert status["rpo"]["writes"] == 0, status["rpo"]
    assert status["rpo"]["seconds"] < witness.limit(2), status["rpo"]
    with contextlib.closing(site.site.redis("REPLICA")) as client:
        assert client.info()["role"] == "master"


def test_without_a_fit_replica_a_new_redis_is_restored_though_the_runner_is_killed(world):
    site = ScenarioSite(world)
    site.kill_redis("REPLICA")
    witness = world.witness()
    site.inject("redis-lost")
    status = site.recover("redis-lost", KILLS_RESTORED)
    assert_recovered(site, status, "NEW_REDIS", duplicates=SENT_AGAIN)
    assert status["rpo"]["seconds"] < witness.limit(5), status["rpo"]


def test_corrupted_data_is_taken_back_to_its_last_good_moment_though_the_runner_is_killed(world):
    site = ScenarioSite(world)
    site.inject("data-corruption")
    status = site.recover("data-corruption", KILLS_DAMAGED)
    # What came after the last good moment is given up, by the plan's own choice.
    audit = assert_recovered(site, status, "NEW_REDIS", audit_lost=1000, duplicates=1000)
    damage = [json.loads(line) for line in (site.site.folder / "damage.jsonl").read_text().splitlines()]
    first = min(entry["at"] for entry in damage if entry["key"])
    good = next(step for step in status["steps"] if step["id"] == "good")["outputs"]
    assert "[object Object]" in good["suspect"], good
    assert status["rpo"]["seconds"] >= time.time() - first - 120, status["rpo"]
    assert audit["lost"] + audit["duplicates"] < 0.5 * audit["accepted"], audit
    # The damaged one is kept as it was: fenced, not emptied.
    with contextlib.closing(site.site.redis("REDIS")) as client:
        assert client("DBSIZE") > 0
        refused = client.pipeline([("SET", "x", "1")])[0]
        assert "NOREPLICAS" in str(refused), refused


def test_a_repository_that_is_away_in_the_middle_stops_no_promotion(world):
    site = ScenarioSite(world)
    repository = pathlib.Path(site.local["REPO"])
    away = repository.with_name("repo-away")
    site.inject("redis-lost")
    status = site.recover("redis-lost", ["step.verified settings"], {
        "step.verified point": lambda: repository.rename(away), "step.verified start": lambda: away.rename(repository)})
    assert_recovered(site, status, "REPLICA", duplicates=SENT_AGAIN)


def test_a_new_server_that_dies_under_its_restore_is_restored_again(world):
    site = ScenarioSite(world)
    site.kill_redis("REPLICA")

    def lose_the_new_one():
        site.kill_redis("NEW_REDIS")
        folder = pathlib.Path(site.local["NEW_REDIS_DIR"])
        shutil.rmtree(folder / "appendonlydir", ignore_errors=True)
        world.processes.append(subprocess.Popen(["redis-server", str(folder / "redis.conf")], cwd=folder,
                                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    site.inject("redis-lost")
    status = site.recover("redis-lost", [], {"step.change data": lose_the_new_one})
    assert_recovered(site, status, "NEW_REDIS", duplicates=SENT_AGAIN)


def test_an_approval_that_nobody_gives_expires_by_the_plans_policy(world):
    """Each expiry asks again and says so; nothing is done meanwhile; the person who comes at last is enough."""
    site = ScenarioSite(world)
    plan = world.folder / "plan.yaml"
    plan.write_text(PLAN.read_text().replace("declare: {roles: [oncall], timeout: 1m}", "declare: {roles: [oncall], timeout: 1s}")
                    .replace("examples/local-site/site", str(ROOT / "examples/local-site/site")))
    site.inject("redis-lost")
    runner = world.spawn("run", "start", "redis-lost", "--plan", plan, "--on", "local", "--since", site.began, log="runner.log")
    log = world.folder / "runner.log"
    world.wait_for("two expiries", lambda: log.read_text().count("approval.expired") >= 2)
    assert "step.intent" not in log.read_text()
    site.run_id = next(line.split()[1] for line in log.read_text().splitlines() if line.startswith("run "))
    world.run("run", "approve", "--run", site.run_id, "--as", "oncall")
    assert runner.wait(2 * PATIENCE) == 0, log.read_text()
    assert_recovered(site, site.status(), "REPLICA", duplicates=SENT_AGAIN)
