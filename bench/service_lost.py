"""The row about a whole service: its Redis is killed and its data deleted; `anclora serve` finds it, restores and serves."""
import dataclasses
import datetime
import json
import os
import pathlib
import shutil
import signal
import statistics
import time

from tools import offset_of, save, startup_seconds
from harness import Resp, World, free_port
from test_local_site import Site

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMIT = 1.5


@dataclasses.dataclass
class SiteRedis:
    """A server of the site, as the other rows know theirs."""
    port: int
    folder: pathlib.Path

    def client(self, **options):
        return Resp(self.port, **options)

    def kill(self):
        os.kill(int(self.client().info()["process_id"]), signal.SIGKILL)


def unattended(plan):
    """plans/local.yaml without its one person: the declaration proceeds by itself. (A rule that starts at once wants the
    word of two vantage points, and one machine is one.)"""
    old, new = "declare: {roles: [oncall], timeout: 1m}", "declare: {roles: [oncall], timeout: 1ms, on_timeout: proceed}"
    text = plan.read_text()
    if old not in text:
        raise RuntimeError(f"{plan} has no more: {old}")
    return text.replace(old, new)


class LostService:
    """A site whose primary holds the jobs, captured by `anclora serve`, with traffic and without a replica."""

    def __init__(self, bench, world):
        self.world, self.site = world, Site(world, "--no-traffic")
        world.environment.update({f"ANCLORA_LOCAL_{name}": value for name, value in self.site.environment.items()})
        world.environment["ANCLORA_LOCAL_PASSPHRASE_FILE"] = str(world.passphrase)
        self.repo = world.environment["ANCLORA_LOCAL_REPO"]
        self.primary = self.server("REDIS")
        self.jobs = bench.jobs
        self.server("REPLICA").kill()
        bench.drive(self.primary, count=bench.jobs)
        self.memory = int(self.primary.client().info()["used_memory"]) / 2**20
        self.rdb = save(self.primary, world.folder, compressed=False)
        self.serve()
        world.run("verify", "--repo", self.repo, "--restore", "--publish-base", timeout=900)
        self.site.supervisorctl("start", "traffic:*")
        self.site.wait_for_traffic(40)
        world.wait_for("the end of the append-only file's rewrite", self.is_idle, 120)

    def server(self, name):
        return SiteRedis(int(self.site.environment[f"{name}_URL"].rpartition(":")[2]), pathlib.Path(self.site.environment[f"{name}_DIR"]))

    def serve(self):
        plan = self.world.folder / "plan.yaml"
        plan.write_text(unattended(ROOT / "plans" / "local.yaml"))
        self.world.run("init", self.repo)
        tokens = self.world.folder / "tokens"
        tokens.write_text("0123456789abcdef-token\n")
        serve = self.world.spawn("serve", "--plan", plan, "--listen", f"127.0.0.1:{free_port()}", "--token-file", tokens,
                                 "--jobs-after", "1h", log="serve.log")
        self.world.wait_for("the daemon", lambda: "listening" in (self.world.folder / "serve.log").read_text() or serve.poll(), 30)
        if serve.poll() is not None:
            raise RuntimeError(self.world.logs())
        self.world.wait_protected(self.repo, offset_of(self.primary), timeout=600)

    def is_idle(self):
        info = self.primary.client().info()
        return info["aof_rewrite_in_progress"] == info["rdb_bgsave_in_progress"] == info["aof_rewrite_scheduled"] == "0"

    def lose(self):
        """kill -9, and the data deleted. Returns when it was killed."""
        pid = int(self.primary.client().info()["process_id"])
        os.kill(pid, signal.SIGKILL)
        killed = time.time()
        for entry in self.primary.folder.iterdir():
            if entry.name not in ("redis.conf", "redis.log"):
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        return killed

    def journal_of_recovery(self):
        """The records of the run that serve started, when it is over. Nothing is asked meanwhile that would cost time."""
        runs = pathlib.Path(self.world.environment["ANCLORA_STATE_DIR"]) / "runs"

        def over():
            text = "".join(file.read_text() for file in sorted(runs.glob("*/journal-*.jsonl")))
            return text if '"kind":"run.finished"' in text or '"kind":"run.paused"' in text else None
        text = self.world.wait_for("the recovery", over, 300, every=0.2)
        return [json.loads(line) for line in text.splitlines()]


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def judged(lost, killed, startup):
    """Prints the parts of one recovery; returns its ratio."""
    records = lost.journal_of_recovery()
    status = lost.world.run("run", "status", "--run", records[0]["fields"]["run"], "--json").json()
    if status["state"] != "finished":
        raise RuntimeError(f"not recovered: {status}\n{lost.world.logs()}")
    startup.append(startup_seconds(lost.world, lost.rdb, "startup-after"))
    if lost.site.command("canary")["state"] != "consumed" or lost.server("NEW_REDIS").client()("DBSIZE") < lost.jobs:
        raise RuntimeError(f"the queue is not served with all of its data: {status}")
    marks = {record["fields"]["name"]: when(record["fields"]["time"]) - killed for record in records if record["kind"] == "run.mark"}
    steps = {}
    for record in records:
        if record.get("step"):
            at = when(record["time"]) - killed
            steps.setdefault(record["step"], [at, at])[1] = at
    rto, load = status["rto"], statistics.mean(startup)
    ratio = (marks["t_serv"] - marks["t_det"]) / load
    print(f"      {ratio:.3f}x: {marks['t_serv']:.2f} s from kill to verified queue; detect {marks['t_det']:.2f}, decide "
          f"{rto['decide_seconds'] or 0:.2f}, act {rto['act_seconds'] or 0:.2f}, verify {rto['verify_seconds'] or 0:.2f}; start-up load "
          f"{' and '.join(f'{each:.2f}' for each in startup)} s, {lost.memory:.0f} MiB\n      seconds after the kill: "
          + ", ".join(f"{name} {begun:.2f}-{end:.2f}" for name, (begun, end) in steps.items()), flush=True)
    return ratio


def one_loss(bench):
    with World(bench.anclora) as world:
        lost = LostService(bench, world)
        startup = [startup_seconds(world, lost.rdb, "startup-before")]
        return judged(lost, lost.lose(), startup)


def bench_service_lost(bench):
    """Redis lost, unattended: from the kill to the verified queue, less the detection, against the start-up load."""
    ratios = [one_loss(bench) for _ in range(bench.rounds)]
    bench.row("service lost: kill to verified queue, less detection / start-up load", statistics.median(ratios), LIMIT, "x",
              f"min {min(ratios):.3f}, max {max(ratios):.3f}, {len(ratios)} losses")
