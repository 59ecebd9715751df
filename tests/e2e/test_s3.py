"""The main job with an S3 repository on a real RADOS Gateway, through its outages too."""
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.request

from harness import PATIENCE, S3, Load, free_port


def test_protect_break_find_restore_verify_expire_and_mirror_in_s3(world):
    with S3(world) as s3:
        repo = world.init(s3.url("team/repo"))
        no_other_inside_or_around(world, s3, repo)
        source = world.redis("source")
        world.capture(repo, source)
        world.wait_protected(repo, 0)
        client = source.client()
        client.pipeline([("HSET", f"job:{i}", "data", "x" * 100) for i in range(2000)])
        world.wait_protected(repo, int(client.info()["master_repl_offset"]))
        before = source.digest()
        client("FLUSHALL")
        world.wait_protected(repo, int(client.info()["master_repl_offset"]))
        found = world.run("find", "--dangerous", "--repo", repo, "--json").json()["found"]
        assert [entry["command"] for entry in found] == ["FLUSHALL"], found
        target = world.redis("target")
        world.run("restore", "--repo", repo, "--at", found[0]["at"], "--to", target.url)
        assert target.digest() == before
        world.run("tag", "before-release", "--repo", repo)
        world.run("verify", "--restore", "--repo", repo)
        world.run("expire", "--repo", repo)
        copy = s3.url("copy")
        world.run("mirror", "--repo", repo, "--to", copy)
        again = world.redis("again")
        world.run("restore", "--repo", copy, "--at", found[0]["at"], "--to", again.url)
        assert again.digest() == before
        client.pipeline([("HSET", f"later:{i}", "data", "y" * 100) for i in range(500)])
        world.wait_protected(repo, int(client.info()["master_repl_offset"]))
        folder = a_copy_may_be_with_another_service(world, s3, repo)
        nobody_is_locked_in(world, folder, source.digest())


def a_copy_may_be_with_another_service(world, s3, repo):
    folder = world.folder / "folder-copy"
    world.run("mirror", "--repo", repo, "--to", folder)
    elsewhere = {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1", "AWS_REGION": "eu-central-1"}
    world.run("mirror", "--repo", folder, "--to", s3.url("second"), "--to-s3-region", "us-east-1", "--to-s3-endpoint",
              f"http://127.0.0.1:{s3.port}", env=elsewhere)
    assert world.status(s3.url("second"))["protected_offset"] == world.status(folder)["protected_offset"]
    return folder


def nobody_is_locked_in(world, folder, digest):
    """Out of our formats by the script that has nothing of ours."""
    script = pathlib.Path(__file__).resolve().parents[2] / "docs" / "formats" / "read_repository.py"
    data = world.folder / "by-script"
    data.mkdir()
    subprocess.run([sys.executable, script, folder, "--passphrase-file", world.passphrase, "--rdb", data / "dump.rdb",
                    "--stream", world.folder / "stream.resp"], check=True, timeout=PATIENCE)
    server = world.redis("by-script")
    subprocess.run(["redis-cli", "-p", str(server.port), "--pipe"], stdin=open(world.folder / "stream.resp", "rb"),
                   check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)
    assert server.digest() == digest


def no_other_inside_or_around(world, s3, repo):
    def refused(place, told):
        outcome = world.run("init", place, check=False)
        assert outcome.code == 5 and told in outcome.err and "beside it" in outcome.err, outcome

    for inner in (s3.url("team/repo/inner"), s3.url("team/repo/sources/default")):
        refused(inner, f"{inner} lies inside the repository {repo}")
    for outer in (s3.url("team"), f"s3://{s3.bucket}"):
        refused(outer, f"the repository {repo} lies inside {outer}")
    world.init(s3.url("team/repo-2"))


def test_a_gateway_that_dies_under_load_costs_nothing(world):
    with S3(world) as s3:
        repo = world.init(s3.url("repo"))
        source = world.redis("source")
        capture = world.capture(repo, source)
        client = source.client()
        client("SET", "first", "1")
        world.wait_protected(repo, int(client.info()["master_repl_offset"]))
        load = Load(source, rate=1500)
        for _ in range(3):
            time.sleep(1.5)
            s3.kill_gateway()
            time.sleep(3)
            s3.start_gateway()
        load.stop()
        assert capture.poll() is None
        status = world.wait_protected(repo, int(client.info()["master_repl_offset"]))
        assert status["gaps"] == [], status
        target = world.redis("target")
        world.run("restore", "--repo", repo, "--to", target.url)
        assert target.digest() == source.digest()


def test_capture_killed_while_the_store_is_away_loses_nothing_that_it_spooled(world):
    with S3(world) as s3:
        repo = world.init(s3.url("repo"))
        source = world.redis("source", "--repl-backlog-size", "64kb", "--repl-ping-replica-period", "3600")
        metrics = f"127.0.0.1:{free_port()}"
        capture = world.capture(repo, source, "--metrics", metrics)
        client = source.client()
        client("SET", "first", "1")
        world.wait_protected(repo, int(client.info()["master_repl_offset"]))
        s3.kill_gateway()
        load = Load(source, rate=1500)
        time.sleep(4)
        load.stop()
        end = int(client.info()["master_repl_offset"])

        def spooled():
            with urllib.request.urlopen(f"http://{metrics}/metrics", timeout=PATIENCE) as reply:
                received = re.search(r"^anclora_capture_received_offset{.*} (\S+)$", reply.read().decode(), re.M)
            try:  # one that begins with "~" is still written, and gets its name any moment
                written = [path.stat().st_mtime for path in (world.folder / "state").rglob("entries/[!~]*")]
            except FileNotFoundError:
                return False
            return float(received.group(1)) >= end and written and time.time() - max(written) > 2.5
        world.wait_for("all of it in the outbox", spooled)
        capture.kill()
        capture.wait()
        capture = world.capture(repo, source, log="capture-again.log")
        time.sleep(2)
        s3.start_gateway()
        status = world.wait_protected(repo, int(client.info()["master_repl_offset"]))
        assert status["gaps"] == [], status
        target = world.redis("target")
        world.run("restore", "--repo", repo, "--to", target.url)
        assert target.digest() == source.digest()


def test_the_gateway_of_these_tests_starts_where_its_processes_are_slow_to_begin(world):
    """A process that has not become its program yet is not a dead one: CI failed by it."""
    s3 = S3(world)
    s3.folder.mkdir()
    output = s3.folder / "osd.out"
    os.mkfifo(output)  # the process waits here, before it becomes ceph-osd, until somebody reads
    starting = subprocess.Popen(["bash", s3.script, "start", s3.folder, str(s3.port)], stdout=subprocess.DEVNULL)
    try:
        while not (s3.folder / "osd.pid").exists():
            assert starting.poll() is None, "the server ended before its object store was started"
            time.sleep(0.05)
        time.sleep(1)  # many looks of the script, one each 50 ms
        reader = os.open(output, os.O_RDONLY | os.O_NONBLOCK)
        assert starting.wait(timeout=300) == 0
        os.close(reader)
    finally:
        starting.kill()
        s3.__exit__()
