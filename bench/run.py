#!/usr/bin/env python3
"""The benchmarks that scripts/bench runs. Every figure is a ratio against a peer measured in the same run, interleaved
with ours, or a time against its limit. Nothing is asserted: what falls short is shown as such."""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import threading
import time

from respond_rows import bench_bisect, bench_detect, bench_engine
from service_lost import bench_service_lost
from tools import Bench, cpu_seconds, follow, loaded_source, offset_of, peak_memory_mib, save, startup_seconds, wait_acknowledged
from harness import S3, World


def bench_restore(bench):
    """Ours, start-up load, and a full sync from a real primary, in turn."""
    with World(bench.anclora) as world:
        source = loaded_source(bench, world, "source", "--repl-diskless-sync", "yes")
        memory = int(source.client().info()["used_memory"]) / 2**20
        repo = world.init(world.folder / "repo")
        capture = world.capture(repo, source)
        world.wait_protected(repo, offset_of(source), timeout=300)
        world.run("verify", "--repo", repo, "--restore", "--publish-base", timeout=900)  # a base without LZF, as later bases are
        capture.terminate()
        capture.wait()
        before = source.digest()
        plain = save(source, world.folder, compressed=False)
        ours, startup, full_sync = [], [], []
        for i in range(bench.rounds):
            startup.append(startup_seconds(world, plain, f"startup{i}"))
            target = world.redis(f"target{i}")
            started = time.monotonic()
            world.run("restore", "--repo", repo, "--to", target.url)
            ours.append(time.monotonic() - started)
            if i == 0 and target.digest() != before:
                raise RuntimeError("the restored server differs from the source")
            target.kill()
            replica = world.redis(f"replica{i}", "--repl-diskless-load", "swapdb")
            started = time.monotonic()
            replica.client()("REPLICAOF", "127.0.0.1", source.port)
            while replica.client().info().get("master_link_status") != "up":
                time.sleep(0.01)
            full_sync.append(time.monotonic() - started)
            replica.kill()
        a, b, c = map(statistics.median, (ours, startup, full_sync))
        detail = f"ours {a:.2f} s, start-up {b:.2f} s, full sync {c:.2f} s, {bench.jobs} jobs, {memory:.0f} MiB"
        bench.row("restore / start-up load", a / b, 1.10, "x", detail)
        bench.row("restore / full sync from a primary", a / c, 0.80, "x", detail)


def bench_rate(bench):
    """The source's write rate with capture attached and with a replica attached, in turn, on fresh servers."""
    count = bench.jobs // 4
    rates = {"capture": [], "replica": []}
    with World(bench.anclora) as world:
        for i in range(bench.rounds):
            for kind in ("replica", "capture") if i % 2 == 0 else ("capture", "replica"):
                source = world.redis(f"{kind}{i}", "--client-output-buffer-limit", "replica 0 0 0")
                if kind == "replica":
                    other = follow(world, f"follower{i}", source)
                else:
                    repo = world.init(world.folder / f"repo{i}")
                    other = world.capture(repo, source)
                    world.wait_protected(repo, 0)
                rates[kind].append(bench.drive(source, count=count)["per_second"])
                if kind == "replica":
                    other.kill()
                else:
                    other.kill()
                    other.wait()
                source.kill()
    ours, theirs = statistics.median(rates["capture"]), statistics.median(rates["replica"])
    bench.row_at_least("source's rate with capture / with a replica", ours / theirs, 1.0, "x",
                       f"{ours:.0f}/s against {theirs:.0f}/s")


def bench_cpu(bench):
    """CPU of capture and of a replica for the same stream, both attached at once. Long: the kernel counts in 10 ms."""
    count = bench.jobs
    with World(bench.anclora) as world:
        source = world.redis("source", "--client-output-buffer-limit", "replica 0 0 0")
        replica = follow(world, "replica", source)
        repo = world.init(world.folder / "repo")
        capture = world.capture(repo, source)
        world.wait_protected(repo, 0)
        for name, limit, seed in (("new keys", 0.25, 1), ("keys that exist", 0.7, 2)):
            wait_acknowledged(source, 2)
            before = cpu_seconds(capture.pid), cpu_seconds(replica.process.pid)
            bench.drive(source, count=count, seed=seed)
            wait_acknowledged(source, 2)
            ours = cpu_seconds(capture.pid) - before[0]
            theirs = cpu_seconds(replica.process.pid) - before[1]
            bench.row(f"capture's CPU / a replica's, {name}", ours / theirs, limit, "x",
                      f"{ours:.2f} s against {theirs:.2f} s for {count} jobs")


def bench_memory(bench):
    with World(bench.anclora) as world:
        source = loaded_source(bench, world)
        memory = int(source.client().info()["used_memory"]) / 2**20
        repo = world.init(world.folder / "repo")
        capture = world.capture(repo, source)
        world.wait_protected(repo, offset_of(source), timeout=300)
        bench.drive(source, count=bench.jobs // 4, seed=3)
        world.wait_protected(repo, offset_of(source), timeout=300)
        bench.row("capture's peak memory", peak_memory_mib(capture.pid), 128, " MiB", f"dataset {memory:.0f} MiB")


def tree_bytes(folder):
    return sum(path.stat().st_size for path in pathlib.Path(folder).rglob("*") if path.is_file())


def restic(world, *args):
    environment = dict(os.environ, RESTIC_PASSWORD="bench", RESTIC_REPOSITORY=str(world.folder / "restic"),
                       RESTIC_CACHE_DIR=str(world.folder / "restic-cache"))
    subprocess.run(["restic", *args], check=True, capture_output=True, env=environment)


def bench_growth(bench):
    """A day: 2 % of the jobs change each hour; an hourly RDB for restic, a captured stream and one base for us."""
    jobs = min(bench.jobs, 400_000)
    with World(bench.anclora) as world:
        source = world.redis("source", "--client-output-buffer-limit", "replica 0 0 0")
        bench.drive(source, count=jobs)
        (world.folder / "rdb").mkdir()
        repo = world.init(world.folder / "repo")
        capture = world.capture(repo, source)
        world.wait_protected(repo, offset_of(source), timeout=300)
        save(source, world.folder / "rdb", compressed=False)
        restic(world, "init")
        restic(world, "backup", str(world.folder / "rdb"))
        ours_before, theirs_before = tree_bytes(repo), tree_bytes(world.folder / "restic")
        changed = jobs // 50
        for hour in range(24):
            bench.drive(source, first=(hour * 7919 * 31) % (jobs - changed), count=changed, seed=100 + hour)
            save(source, world.folder / "rdb", compressed=False)
            restic(world, "backup", str(world.folder / "rdb"))
        theirs = tree_bytes(world.folder / "restic") - theirs_before
        world.wait_protected(repo, offset_of(source), timeout=300)
        time.sleep(1)
        capture.terminate()
        capture.wait()
        world.run("expire", "--repo", repo, "--grace-packed", "0s", "--grace", "0s")
        stream = tree_bytes(repo) - ours_before
        world.run("verify", "--repo", repo, "--restore", "--publish-base", timeout=900)
        whole = tree_bytes(repo) - ours_before
        bench.row("growth, one base a day included / restic's", whole / theirs, 0.1, "x",
                  f"{whole / 2**20:.1f} MiB against {theirs / 2**20:.1f} MiB for {jobs} jobs")
        bench.row("growth of the stream alone / restic's", stream / theirs, 0.04, "x", f"{stream / 2**20:.1f} MiB")


class LagWatch:
    """Samples (time, source offset, acknowledged offset); with --ack durable what is acknowledged is protected."""

    def __init__(self, server):
        self.client = server.client()
        self.samples, self.stopping = [], threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        while not self.stopping.is_set():
            text = self.client("INFO", "replication").decode()
            info = dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)
            acked = int(info["slave0"].split("offset=")[1].split(",")[0])
            self.samples.append((time.monotonic(), int(info["master_repl_offset"]), acked))
            time.sleep(0.004)

    def lags(self):
        self.stopping.set()
        self.thread.join()
        lags, j = [], 0
        for moment, master, _ in self.samples:
            while j < len(self.samples) and self.samples[j][2] < master:
                j += 1
            if j == len(self.samples):
                break
            lags.append(max(0.0, self.samples[j][0] - moment))
        return sorted(lags)


def lag_run(bench, world, repo, name, limit, *options):
    source = world.redis("source-" + name, "--client-output-buffer-limit", "replica 0 0 0")
    capture = world.capture(repo, source, *options, log=f"capture-{name}.log")
    world.wait_protected(repo, 0)
    watch = LagWatch(source)
    driven = bench.drive(source, count=10**9, rate=50_000, seconds=20, plain_set=True, value=500)
    time.sleep(3)
    lags = watch.lags()
    p99 = lags[int(len(lags) * 0.99)]
    bench.row(f"lag of protected up to, p99, {name}", p99 * 1000, limit, " ms",
              f"median {lags[len(lags) // 2] * 1000:.0f} ms at {driven['per_second']:.0f} writes/s of 500 B")
    capture.terminate()
    capture.wait()
    source.kill()


def bench_lag(bench):
    with World(bench.anclora) as world:
        lag_run(bench, world, world.init(world.folder / "repo"), "folder", 200)
    with World(bench.anclora) as world, S3(world) as s3:
        lag_run(bench, world, world.init(s3.url("lag")), "S3", 1500)


def bench_lost(bench):
    """kill -9 of the source, its data deleted: until a new server, restored and checked, serves."""
    with World(bench.anclora) as world:
        source = loaded_source(bench, world)
        repo = world.init(world.folder / "repo")
        world.capture(repo, source)
        world.wait_protected(repo, offset_of(source), timeout=300)
        world.run("verify", "--repo", repo, "--restore", "--publish-base", timeout=900)
        plain = save(source, world.folder, compressed=False)
        startup = [startup_seconds(world, plain, f"startup{i}") for i in range(bench.rounds)]
        before = source.digest()
        started = time.monotonic()
        source.kill()
        shutil.rmtree(source.folder)
        target = world.redis("target")
        world.run("restore", "--repo", repo, "--to", target.url)
        target.client()("SET", "serves", "1")
        took = time.monotonic() - started
        target.client()("DEL", "serves")
        if target.digest() != before:
            raise RuntimeError("the restored server differs from the source")
        base = statistics.median(startup)
        bench.row("lost: kill to restored, checked, serving / start-up load", took / base, 1.2, "x", f"{took:.2f} s against {base:.2f} s")


def bench_find(bench):
    """A day of 10 M commands in packs of a minute's share, a FLUSHDB and a mass deletion somewhere in it."""
    commands = 10_000_000 if bench.rounds > 1 else 500_000
    with World(bench.anclora) as world:
        source = world.redis("source", "--client-output-buffer-limit", "replica 0 0 0")
        repo = world.init(world.folder / "repo")
        # A day's packs in a minute of writing: a pack each 40 ms.
        capture = world.capture(repo, source, "--pack-age", "40ms")
        world.wait_protected(repo, 0)
        for part in range(2):
            for _ in range(5):
                bench.drive(source, count=commands // 10, plain_set=True, value=40, pipeline=1000, seed=part)
            source.client()("SELECT", 5)
            client = source.client()
            client.pipeline([("SELECT", 5), ("SET", "a", "1"), ("FLUSHDB",)])
        world.wait_protected(repo, offset_of(source), timeout=300)
        time.sleep(1)
        capture.terminate()
        capture.wait()
        packs = world.run("history", "--repo", repo, "--json").json()["sources"][0]["timelines"][0]["packs"]
        times = []
        for _ in range(3):
            started = time.monotonic()
            found = world.run("find", "--dangerous", "--repo", repo, "--json").json()["found"]
            times.append(time.monotonic() - started)
        if len([entry for entry in found if entry["command"] == "FLUSHDB"]) != 2:
            raise RuntimeError(f"find missed a FLUSHDB: {found}")
        bench.row("find --dangerous over a day", statistics.median(times), 1.0, " s", f"{commands} commands in {packs} packs")


ALL = {"restore": bench_restore, "rate": bench_rate, "cpu": bench_cpu, "memory": bench_memory, "growth": bench_growth,
       "lag": bench_lag, "lost": bench_lost, "find": bench_find, "bisect": bench_bisect,
       "engine": bench_engine, "detect": bench_detect, "service-lost": bench_service_lost}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--only", default=",".join(ALL))
    parser.add_argument("--small", action="store_true", help="a quick run on little data: for trying the benchmarks themselves")
    arguments = parser.parse_args()
    bench = Bench(arguments.build.resolve(), arguments.small)
    for name in arguments.only.split(","):
        ALL[name](bench)
    print(f"\n{sum(row[4] for row in bench.rows)} of {len(bench.rows)} goals met")


if __name__ == "__main__":
    main()
