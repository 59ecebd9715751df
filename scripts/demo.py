#!/usr/bin/env python3
"""The demonstration: what scripts/demo runs after the build. Usage: demo.py PATH-OF-ANCLORA FOLDER-FOR-THE-REPORT"""
import os
import pathlib
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "e2e"))
from harness import Load, World  # noqa: E402
from scenario_site import ScenarioSite  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent

PLAN_RTO_SECONDS, PLAN_RPO_SECONDS = 15 * 60, 5 * 60


def say(text=""):
    print(text, flush=True)


def show(world, *args):
    """Runs anclora and shows what a person would see."""
    shown = " ".join(str(arg) for arg in args).replace(str(world.folder), "…")
    say(f"$ anclora {shown}")
    outcome = world.run(*args)
    for line in outcome.out.rstrip().splitlines():
        say("    " + line.replace(str(world.folder), "…"))
    return outcome


def achieved(title, rto, rpo, lost):
    say(f"\n    {title}")
    say(f"    RTO achieved  {rto:8.2f} s     the plan allows {PLAN_RTO_SECONDS} s")
    say(f"    RPO achieved  {rpo:8.2f} s     the plan allows {PLAN_RPO_SECONDS} s   ({lost} commands lost)")


def protect_and_restore(world):
    say("1. A Redis under a steady job-queue load, protected from now on")
    source = world.redis("source")
    repo = str(world.folder / "repo")
    show(world, "init", repo)
    world.capture(repo, source)
    load = Load(source, rate=4000)
    time.sleep(4)
    client = source.client()
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    show(world, "status", "--repo", repo)

    say("\n2. FLUSHALL by mistake")
    load.stop()
    client("SET", "demo:last", "the write just before the mistake")
    before = source.digest()
    keys = client("DBSIZE")
    client("FLUSHALL")
    mistake = time.monotonic()
    say(f"$ redis-cli FLUSHALL        {keys} keys are gone")
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    found = show(world, "find", "--dangerous", "--repo", repo)
    after_flush = found.out[found.out.index("FLUSHALL"):]
    at = next(word for word in after_flush.split() if word.startswith("before:"))

    say("\n3. Back to just before it, in a second server")
    second = world.redis("second")
    show(world, "restore", "--repo", repo, "--at", at, "--to", second.url)
    rto = time.monotonic() - mistake
    equal = second.digest() == before
    say(f"    digest before the mistake {before}\n    digest after the restore  {second.digest()}   "
        f"{'equal' if equal else 'DIFFERENT'}")
    achieved("FLUSHALL undone", rto, 0.0, 0)

    say("\n4. kill -9 of the source under load, and its data directory deleted")
    load = Load(source, rate=4000)
    time.sleep(3)
    marker = source.client()
    written = 0
    until = time.monotonic() + 1
    while time.monotonic() < until:
        written += 1
        marker("SET", "demo:beacon", f"{written} {time.time():.3f}")
    source.kill()
    killed, killed_at = time.monotonic(), time.time()
    shutil.rmtree(source.folder)
    load.stop()
    third = world.redis("third")
    show(world, "restore", "--repo", repo, "--at", "latest", "--to", third.url)
    rto = time.monotonic() - killed
    number, stamp = third.client()("GET", "demo:beacon").decode().split()
    achieved("Redis lost and recovered", rto, max(0.0, killed_at - float(stamp)), written - int(number))
    if not equal:
        raise SystemExit("the demonstration failed: digests differ")


def rehearse_the_plan(world, folder):
    """The plan's Redis loss on a whole site: a service with BullMQ, two Redis servers, traffic, people to be told."""
    say("\n5. The same loss, recovered by the plan: plans/local.yaml on a site of its own, under traffic")
    os.chdir(ROOT)  # the plan names the site's command from here
    site = ScenarioSite(world)
    show(world, "plan", "check", "plans/local.yaml")
    metrics = site.site.command("audit")
    say(f"    a service takes messages: {metrics['accepted']} so far, {metrics['lost']} lost")
    started = time.monotonic()
    drill = show(world, "drill", "run", "redis-lost", "--plan", "plans/local.yaml", "--on", "local", "--yes")
    say(f"    the whole drill took {time.monotonic() - started:.0f} s")
    folder.mkdir(parents=True, exist_ok=True)
    report = folder / "redis-lost.html"
    report.unlink(missing_ok=True)
    show(world, "drill", "report", "--out", report)
    record = world.run("drill", "show", "--json").json()
    if drill.code != 0 or not record["passed"]:
        raise SystemExit("the demonstration failed: the drill did not pass")
    rpo = record["achieved"]
    achieved("Redis lost and recovered by the plan", rpo["rto_seconds"], rpo["rpo_seconds"], rpo["rpo_writes"])
    say(f"\n    the report: {report}")


def main():
    with World(sys.argv[1]) as world:
        protect_and_restore(world)
    with World(sys.argv[1]) as world:
        rehearse_the_plan(world, pathlib.Path(sys.argv[2]).resolve())
    say("\ndone")


if __name__ == "__main__":
    main()
