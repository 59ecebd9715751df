"""The rows about deciding and acting: bisect, the engine of runs, detection."""
import json
import statistics
import subprocess
import threading
import time

from tools import offset_of  # first: it says where the tests' modules are
from harness import World
from test_run import Site as RunSite


def bench_bisect(bench):
    """A day's 100 k writes, one of them damaging: how many scratch restores, and how long, to name it."""
    with World(bench.anclora) as world:
        source = world.redis("source")
        repo = world.init(world.folder / "repo")
        world.capture(repo, source)
        world.wait_protected(repo, 0)
        client = source.client()
        for first in range(0, 100_000, 1000):
            commands = [("HSET", f"bull:jobs:{i % 20000}", "name", "send", "data", "x" * 300, "at", i)
                        for i in range(first, first + 1000)]
            if first == 67_000:
                commands[789] = ("SET", "bull:jobs:7789", "garbage")
            elif first > 67_000:
                commands = [command for command in commands if command[1] != "bull:jobs:7789"]
            client.pipeline(commands)
        world.wait_protected(repo, offset_of(source), timeout=300)
        started = time.monotonic()
        found = world.run("bisect", "--repo", repo, "--check", "bull:jobs:* type=hash", "--json").json()
        took = time.monotonic() - started
        if not any("garbage" in suspect["command"] for suspect in found["suspects"]):
            raise RuntimeError(f"bisect named the wrong command: {found['suspects']}")
        bench.row("bisect over 100 k writes", took, 60, " s", f"{found['restores']} scratch restores")
        bench.row("bisect over 100 k writes, restores", found["restores"], 20, "", "")


def bench_engine(bench):
    """A run of 60 steps, one after the other, that do nothing: what is left is the engine with its synced journal."""
    count = 60
    steps = [f"{{id: s{i}, uses: people.approve, {f'needs: [s{i - 1}], ' if i else ''}"
             "with: {roles: [oncall], text: go}, budget: 1s, timeout: 1m}" for i in range(count)]
    with World(bench.anclora) as world:
        site = RunSite(world, steps)
        report = world.run("run", "start", "lost", "--plan", site.plan, "--on", "lab", "--yes", "--json",
                           env={"LAB_REPO": site.repo}).json()
        if report["state"] != "finished":
            raise RuntimeError(f"the run did not finish: {report}")
        program = report["steps"][-1]["elapsed_seconds"]
        each = (report["elapsed_seconds"] - program) * 1000 / count
        bench.row("engine overhead a step, with fsync", each, 10, " ms", f"{count} steps, the approval of each included")


DETECT_PLAN = """version: 1
service: shop
objectives: {severity: [{id: critical, rto: 15m, rto_max: 30m}], data: [{id: jobs, rpo: 5m, targets: [main]}]}
sites: [{id: here, primary: true}, {id: there}]
targets:
  - {id: main, kind: redis, site: here, url: env:MAIN_URL}
  - {id: copies, kind: repository, site: there, url: "/nowhere", passphrase: env:NOTHING}
backups: [{id: capture, target: main, repository: copies, data: jobs, continuous: true, lag: 5s, keep: {daily: 7d}}]
probes: [{id: answers, uses: probe.redis, with: {target: main, write: true}, every: 1s}]
detection: [{id: gone, all: [{probe: answers}], scenario: lost, quiet_after: 1h}]
scenarios:
  - id: lost
    title: Lost
    severity: critical
    undo_window: 10m
    declare: {roles: [oncall], timeout: 1s, on_timeout: proceed}
    steps: [{id: hand, uses: people.manual, with: {text: recover}, budget: 1m, timeout: 5m}]
    restored: [{probe: answers}]
contacts: [{id: ada, name: Ada, roles: [oncall], channels: [{kind: command, argv: [/bin/true]}]}]
escalation: [{id: first, severity: critical, contacts: [ada], after: 0s, acknowledge_within: 3m}]
"""


def bench_detect(bench):
    """A Redis that is killed under load, and how long until the rule is confirmed: a look a second, all else by default."""
    taken = []
    with World(bench.anclora) as world:
        # With its data after each restart: the probe would rightly call an emptied one down.
        server = world.redis("source", "--appendonly", "yes", "--appendfsync", "always")
        plan = world.folder / "plan.yaml"
        plan.write_text(DETECT_PLAN)
        with subprocess.Popen([bench.anclora.parent / "bench" / "anclora_detect_watch", plan], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True, env=dict(world.environment, MAIN_URL=server.url)) as watcher:
            world.processes.append(watcher)
            too_long = threading.Timer(300, watcher.kill)
            too_long.daemon = True
            too_long.start()

            def wait_for(state):
                for line in watcher.stdout:
                    if json.loads(line)["state"] == state:
                        return time.time()
                raise RuntimeError(f"the watcher ended before {state}")

            for number in range(5 if bench.rounds == 1 else 20):
                wait_for("up")
                time.sleep(0.3 + number * 0.37 % 1)  # at every phase of its looks
                killed = time.time()
                server.kill()
                taken.append(wait_for("confirmed") - killed)
                server.start()
            watcher.stdin.close()
            too_long.cancel()
    bench.row("a dead Redis is detected, slowest", max(taken), 3, " s",
              f"{len(taken)} kills, median {statistics.median(taken):.2f} s")
