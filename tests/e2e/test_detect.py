"""`anclora detect`: what it sees of a real Redis, how soon, and that it changes nothing but the beacon."""
import json
import signal
import time

from harness import PATIENCE
from test_json_fields import has_no_other_fields_than_documented

PLAN = """
version: 1
service: lab
objectives:
  severity: [{id: critical, rto: 15m, rto_max: 30m}]
  data: [{id: jobs, rpo: 10s, targets: [main]}]
sites: [{id: here, primary: true}, {id: there}]
targets:
  - {id: main, kind: redis, site: here, url: env:LAB_REDIS, role: primary, beacon: {key: "lab:beacon", every: 1s}}
  - {id: copies, kind: repository, site: there, url: env:LAB_REPO, passphrase_file: env:ANCLORA_PASSPHRASE_FILE}
backups:
  - {id: capture, target: main, repository: copies, data: jobs, continuous: true, lag: 5s, keep: {daily: 7d}}
probes:
  - {id: answers, uses: probe.redis, with: {target: main, role: primary, write: true}, every: 1s}
detection:
  - {id: gone, all: [{probe: answers}], scenario: lost, quiet_after: 1h}
scenarios:
  - id: lost
    title: Lost
    severity: critical
    impact: none
    declare: {roles: [oncall], timeout: 1m}
    undo_window: 10m
    steps:
      - {id: look, uses: probe.redis, with: {target: main}, budget: 5s, timeout: 1m}
contacts:
  - {id: ada, name: Ada, roles: [oncall], channels: [{kind: command, argv: [/bin/true]}, {kind: webhook, url: "env:HOOK"}]}
escalation:
  - {id: first, severity: critical, contacts: [ada], when: after, after: 0s, acknowledge_within: 3m}
"""


def lab(world):
    server = world.redis("main")
    plan = world.folder / "plan.yaml"
    plan.write_text(PLAN)
    world.environment.update(LAB_REDIS=server.url, LAB_REPO=str(world.folder / "repo"))
    return server, plan


def test_one_look_at_a_redis_that_is_well_and_at_one_that_is_gone(world):
    server, plan = lab(world)
    reply = world.run("detect", "--plan", plan, "--once", "--json").json()
    has_no_other_fields_than_documented("detect", reply, data=("facts",))
    assert reply["probes"][0]["last"]["state"] == "up" and reply["probes"][0]["last"]["facts"]["role"] == "master", reply
    client = server.client()
    assert client("KEYS", "*") == [b"lab:beacon"]
    client.close()
    server.kill()
    gone = world.run("detect", "--plan", plan, "--once", check=False)
    assert gone.code == 1 and "last seen down, " in gone.out, gone


def test_an_observer_that_is_cut_off_declares_nothing(world):
    server, plan = lab(world)
    others = [world.redis(f"other-{n}") for n in range(3)]
    controls = "".join(f"  - {{id: c{n}, uses: probe.tcp, with: {{address: \"127.0.0.1:{other.port}\"}}, control: true, every: 500ms}}\n"
                       for n, other in enumerate(others))
    plan.write_text(PLAN.replace("detection:", controls + "detection:"))
    process = world.spawn("detect", "--plan", plan, log="detect.log")
    log = world.folder / "detect.log"
    world.wait_for("the first look", lambda: "answers at here" in log.read_text())
    time.sleep(2.5)
    for each in (others[0], others[1], server):
        each.kill()
    world.wait_for("we are cut off", lambda: "gone: isolated" in log.read_text())
    others[0].start()
    world.wait_for("the verdict", lambda: "gone: confirmed" in log.read_text())  # now it is the Redis alone
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 1, log.read_text()
    assert log.read_text().index("gone: isolated") < log.read_text().index("gone: confirmed")


def test_a_killed_redis_is_confirmed_within_three_seconds(world):
    server, plan = lab(world)
    process = world.spawn("detect", "--plan", plan, log="detect.log")
    log = world.folder / "detect.log"
    world.wait_for("the first look", lambda: "answers at here" in log.read_text())
    time.sleep(2.5)
    witness = world.witness()
    server.kill()
    killed = time.monotonic()
    world.wait_for("the verdict", lambda: "gone: confirmed" in log.read_text(), every=0.02)
    took = time.monotonic() - killed
    assert took <= witness.limit(3), f"{took} s\n{log.read_text()}"
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 1, log.read_text()


def test_a_wrong_place_and_a_missing_reference_are_told(world):
    _, plan = lab(world)
    wrong = world.run("detect", "--plan", plan, "--on", "moon", "--once", check=False)
    assert wrong.code == 3 and "no environment moon" in wrong.err, wrong
    del world.environment["LAB_REDIS"]
    unknown = json.loads(world.run("detect", "--plan", plan, "--once", "--json").out)
    assert unknown["probes"][0]["state"] == "unknown" and "LAB_REDIS" in unknown["probes"][0]["last"]["reason"], unknown


def test_backups_are_watched_too(world):
    server, plan = lab(world)
    plan.write_text(PLAN.replace("detection:", """  - {id: copied, uses: probe.backup, with: {repository: copies, max_lag: 1m}, every: 10s}
detection:"""))
    repo = world.init(world.folder / "repo")

    def copied():
        reply = world.run("detect", "--plan", plan, "--once", "--json", check=False).json()
        return next(probe["last"] for probe in reply["probes"] if probe["id"] == "copied")

    assert copied()["state"] == "down", copied()
    world.capture(repo, server)
    world.wait_protected(repo, 0)
    assert copied()["state"] == "up" and "position" in copied()["facts"], copied()
