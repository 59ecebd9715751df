"""The scenarios of plans/local.yaml on a local site with a capture: played, recovered, and recovered by runners that are
killed where a test says. Used by test_scenarios.py and scripts/scenario-loop."""
import contextlib
import datetime
import json
import os
import pathlib
import signal
import subprocess
import time

from test_local_site import Site

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLAN = ROOT / "plans" / "local.yaml"


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class ScenarioSite:
    def __init__(self, world, rate=20, *options):
        self.world = world
        self.site = Site(world, *options)
        for line in (self.site.folder / "site.env").read_text().splitlines():
            name, _, value = line.partition("=")
            world.environment[name] = value.strip("'")
        self.local = self.site.environment
        self.passphrase = ("--passphrase-file", self.local["PASSPHRASE_FILE"])
        world.run("init", "--repo", self.local["REPO"], *self.passphrase)
        self.capture = world.spawn("capture", "--source", self.local["REDIS_URL"], "--repo", self.local["REPO"],
                                   *self.passphrase, log="capture.log")
        self.site.wait_for_traffic(40)
        world.wait_for("a protected point", self.protected)
        self.kills = []  # what the runner had just said when it was killed
        self.run_id = None

    def protected(self):
        sources = self.world.run("status", "--repo", self.local["REPO"], *self.passphrase, "--json", check=False)
        return sources.code == 0 and any(one["protected_offset"] for one in sources.json()["sources"])

    def kill_redis(self, name):
        """kill -9 of one of the site's servers, by its process id."""
        with contextlib.closing(self.site.redis(name)) as client:
            pid = int(client.info()["process_id"])
        os.kill(pid, signal.SIGKILL)

    def inject(self, scenario):
        """Plays the disaster: the outage began when that was over."""
        started = self.world.run("run", "start", scenario, "--inject", "--plan", PLAN, "--on", "local", "--yes", "--json")
        self.began = started.json()["ended"]
        self.detected = now()

    def recover(self, scenario, kill_after=(), and_then=None, limit=600):
        """Runs the scenario to its end. The runner is killed as soon as it has said one of `kill_after` ("step.change
        data"; in any order, for steps run side by side) and the run resumed; a step that is left unknown is tried again,
        as a person would after a look. `and_then`: {line: what to do when it was said}. Returns the run's status."""
        left, actions, self.kills, self.run_id = list(kill_after), dict(and_then or {}), [], None
        words = ["start", scenario, "--plan", PLAN, "--on", "local", "--since", self.began, "--detected", self.detected]
        deadline = time.monotonic() + limit
        while True:
            assert time.monotonic() < deadline, f"not recovered within {limit} s: {self.status()}"
            code = self.one_runner([*words, "--yes", "--no-wait"], left, actions)
            status = self.status()
            if code == 0:
                # A runner may be killed between writing a record and saying it: that one nobody could hear.
                written = {f"{record['kind']} {record['step']}" for record in self.journal() if record.get("step")}
                unsaid = [line for line in left if line not in written]
                assert not unsaid and not actions, f"never said: {unsaid} {list(actions)}"
                return status
            retry = [step["id"] for step in status["steps"] if step["state"] in ("unknown", "failed_paused")]
            assert code in (-signal.SIGKILL, 5), f"exit {code}: {status}\n{self.world.logs()}"
            words = ["resume", "--run", self.run_id]
            if code == 5:
                assert retry, status
                words += ["--retry", retry[0], "--as", "oncall"]

    def one_runner(self, words, left, actions):
        log = open(self.world.folder / "runner.log", "a", encoding="utf-8")
        with log, subprocess.Popen([self.world.anclora, "run", *map(str, words)], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                                   env=self.world.environment) as runner:
            self.world.processes.append(runner)
            for line in runner.stderr:
                log.write(line)
                if line.startswith("run "):
                    self.run_id = line.split()[1]
                said = " ".join(line.split()[1:3]).rstrip(":")
                if said in actions:
                    actions.pop(said)()
                if said in left:
                    left.remove(said)
                    if runner.poll() is None:  # else it was said in the instant before another kill
                        self.kills.append(said)
                        runner.kill()
                        runner.wait()
            return runner.wait()

    def status(self):
        return self.world.run("run", "status", "--run", self.run_id, "--json").json() if self.run_id else {}

    def journal(self):
        records = []
        for file in sorted((self.world.folder / "state" / "runs" / self.run_id).glob("journal-*.jsonl")):
            for line in file.read_bytes().splitlines():
                with contextlib.suppress(ValueError):  # the last one, torn by a kill
                    records.append(json.loads(line))
        return records

    def configured(self):
        for line in pathlib.Path(self.local["CONFIG_FILE"]).read_text().splitlines():
            if line.startswith("REDIS_URL="):
                return line.partition("=")[2]
        return None
