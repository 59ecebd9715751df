"""What the rows share: the table that they fill, servers that are loaded and saved, and how things are measured."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "e2e"))
from harness import RedisServer  # noqa: E402

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Bench:
    def __init__(self, build, small):
        self.anclora = build / "anclora"
        self.load = build / "bench" / "anclora_job_load"
        self.jobs = 200_000 if small else 1_750_000  # 1.75 M jobs are about 790 MB in memory
        self.rounds = 1 if small else 3
        self.rows = []

    def row(self, name, figure, limit, unit, detail):
        ok = figure <= limit
        self.rows.append((name, figure, limit, unit, ok, detail))
        print(f"{'ok   ' if ok else 'SHORT'} {name}: {figure:.3f}{unit} (goal <= {limit}{unit})   {detail}", flush=True)

    def row_at_least(self, name, figure, limit, unit, detail):
        ok = figure >= limit
        self.rows.append((name, figure, limit, unit, ok, detail))
        print(f"{'ok   ' if ok else 'SHORT'} {name}: {figure:.3f}{unit} (goal >= {limit}{unit})   {detail}", flush=True)

    def drive(self, server, **options):
        args = [str(self.load), "--port", str(server.port)]
        for name, value in options.items():
            args += [f"--{name.replace('_', '-')}"] + ([] if value is True else [str(value)])
        return json.loads(subprocess.run(args, check=True, capture_output=True, text=True).stdout)


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def peak_memory_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmHWM")


def offset_of(server):
    return int(server.client().info()["master_repl_offset"])


def wait_acknowledged(server, name_count, timeout=180):
    """Waits until every attached replica acknowledged all of the source's stream."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        info = server.client().info()
        master = int(info["master_repl_offset"])
        acked = [int(value.split("offset=")[1].split(",")[0]) for key, value in info.items()
                 if key.startswith("slave") and "offset=" in value]
        if len(acked) == name_count and all(master - offset < 200 for offset in acked):
            return
        time.sleep(0.02)
    raise RuntimeError("replicas did not catch up")


def follow(world, name, source, *options):
    replica = world.redis(name, *options)
    replica.client()("REPLICAOF", "127.0.0.1", source.port)
    deadline = time.monotonic() + 180
    while replica.client().info().get("master_link_status") != "up":
        if time.monotonic() > deadline:
            raise RuntimeError("the replica did not sync")
        time.sleep(0.01)
    return replica


def loaded_source(bench, world, name="source", *options):
    source = world.redis(name, "--repl-backlog-size", "64mb", "--client-output-buffer-limit", "replica 0 0 0", *options)
    bench.drive(source, count=bench.jobs)
    return source


def startup_seconds(world, rdb, name):
    """How long a redis-server takes from its start to serving this RDB."""
    folder = world.folder / name
    folder.mkdir()
    os.link(rdb, folder / "dump.rdb")
    started = time.monotonic()
    server = RedisServer(folder, "--dbfilename", "dump.rdb")
    client = server.client()
    while client.info().get("loading") != "0":
        time.sleep(0.005)
    took = time.monotonic() - started
    server.kill()
    shutil.rmtree(folder)
    return took


def save(source, folder, compressed):
    """SAVEs; the file is moved out of the server's own folder into `folder`."""
    client = source.client(timeout=300)
    client("CONFIG", "SET", "rdbcompression", "yes" if compressed else "no")
    client("SAVE")
    return pathlib.Path(shutil.move(source.folder / "dump.rdb", folder / "dump.rdb"))
