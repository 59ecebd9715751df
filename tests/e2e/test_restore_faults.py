"""Restores that meet trouble: each says what is wrong and what to do, and none leaves wrong data behind as if it were right."""
import hashlib
import os
import random
import subprocess
import threading
import time

from harness import PATIENCE, free_port
from workload import Workload, take_point


def captured(world, megabytes=0, *source_options):
    """A source with data, captured and then left alone: (source, client, repository)."""
    source = world.redis("source", "--repl-backlog-size", "64mb", *source_options)
    client = source.client()
    if megabytes:
        client.pipeline([("SET", f"big:{i}", random.Random(i).randbytes(20000)) for i in range(megabytes * 50)])
    repo = world.init(world.folder / "repo")
    world.capture(repo, source)
    client.pipeline([("SET", f"key:{i}", f"value {i}") for i in range(1000)])
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    return source, client, repo


def refused(world, repo, to, *options, code=None, says=(), at="latest", timeout=PATIENCE):
    outcome = world.run("restore", "--repo", repo, "--at", at, "--to", to, *options, check=False, timeout=timeout)
    assert outcome.code not in (0, 1, 16) and outcome.code > 0, outcome
    assert code is None or outcome.code == code, (code, outcome)
    for text in says:
        assert text in outcome.err, (text, outcome)
    assert "hint:" in outcome.err, outcome
    return outcome


def fingerprint(folder):
    """Every name and byte below a folder."""
    digest = hashlib.sha256()
    for root, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(root, name)
            digest.update(path.encode() + b"\0" + open(path, "rb").read())
    return digest.hexdigest()


def through(world, stops_after=None, **settings):
    """The options that lead the target to us through a proxy of ours, that takes no more after `stops_after` bytes."""
    port = free_port()
    link = world.proxy(port, **settings)
    if stops_after:
        link.hold = lambda _: link.bytes_down >= stops_after
    return link, ("--listen", f"127.0.0.1:{port}", "--announce", f"127.0.0.1:{link.port}")


def stopped_in_the_middle(world):
    """A restore whose target has a part of the base, and gets no more until link.hold is None."""
    source, _, repo = captured(world, 15)
    target = world.redis("target")
    link, options = through(world, stops_after=3_000_000)
    restore = world.spawn("restore", "--repo", repo, "--to", target.url, *options, log="restore.log")
    world.wait_for("the transfer", lambda: link.bytes_down >= 3_000_000)
    return source, repo, target, link, restore


def test_a_target_killed_in_the_middle_is_told_and_the_restore_can_be_repeated(world):
    source, repo, target, link, restore = stopped_in_the_middle(world)
    target.kill()
    link.hold = None
    assert restore.wait(PATIENCE) in (8, 9, 14), world.logs()
    log = (world.folder / "restore.log").read_text()
    assert "target" in log and "hint:" in log, log
    target.start()
    assert world.restored_digest(repo, "latest", target) == source.digest()


def test_a_target_that_is_started_again_in_the_middle_is_told_at_once(world):
    source, repo, target, link, restore = stopped_in_the_middle(world)
    target.kill()
    target.start()
    link.hold = None
    assert restore.wait(PATIENCE) == 5, world.logs()
    log = (world.folder / "restore.log").read_text()
    assert "does not follow us any more: it is a primary again" in log and "restore again" in log, log
    assert target.client()("ROLE")[0] == b"master"
    assert world.restored_digest(repo, "latest", target) == source.digest()


def test_a_restore_killed_in_the_middle_is_repeated_with_replace(world):
    source, _, repo = captured(world, 15)
    target = world.redis("target")
    target.client()("SET", "old", "data")
    link, options = through(world, stops_after=3_000_000)
    restore = world.spawn("restore", "--repo", repo, "--to", target.url, "--replace", *options, log="restore.log")
    world.wait_for("the transfer", lambda: link.bytes_down >= 3_000_000)
    restore.kill()
    restore.wait()
    link.hold = None
    world.run("restore", "--repo", repo, "--to", target.url, "--replace")
    assert target.digest() == source.digest()
    assert target.client().info()["role"] == "master"


def test_a_target_that_is_loading_is_waited_for(world):
    source, _, repo = captured(world)
    target = world.redis("target")
    client = target.client()
    client.pipeline([("SET", f"old:{i}", "x" * 1000) for i in range(4000)])
    client("SAVE")
    target.kill()
    with open(target.folder / "redis.log", "ab") as log:
        target.process = subprocess.Popen(
            ["redis-server", "--port", str(target.port), "--bind", "127.0.0.1", "--dir", str(target.folder), "--save", "",
             "--enable-debug-command", "yes", "--key-load-delay", "20000", "--loading-process-events-interval-bytes", "2048"],
            stdout=log, stderr=subprocess.STDOUT)
    world.wait_for("its loading", lambda: loading(target))
    restore = world.spawn("restore", "--repo", repo, "--to", target.url, "--replace", log="restore.log")
    world.wait_for("it waits",
                   lambda: "the target is loading its data" in (world.folder / "restore.log").read_text() or restore.poll() is not None)
    target.client()("CONFIG", "SET", "key-load-delay", "0")
    assert restore.wait(PATIENCE) == 0, world.logs()
    assert "the target is loading its data" in (world.folder / "restore.log").read_text(), world.logs()
    assert target.digest() == source.digest()


def loading(server):
    try:
        return server.client().info().get("loading") == "1"
    except OSError:
        return False


def test_a_target_that_stood_at_the_point_before_is_checked_only_once_it_has_loaded_again(world):
    source = world.redis("source")
    client = source.client()
    client.pipeline([("SET", f"small:{i}", f"value {i}") for i in range(400000)])  # takes a while to load
    repo = world.init(world.folder / "repo")
    world.capture(repo, source)
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    client.pipeline([("SET", f"key:{i}", f"value {i}") for i in range(1000)])
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    world.run("tag", "here", "--repo", repo)
    target = world.redis("target")
    for _ in range(3):  # it keeps the offset of the restore before, which is the one that is waited for
        world.run("restore", "--repo", repo, "--at", "tag:here", "--to", target.url, "--replace")
        assert target.digest() == source.digest()


def test_a_link_to_the_target_cut_in_the_middle_is_resumed(world):
    source, client, repo = captured(world, 10)
    before = int(client.info()["master_repl_offset"])
    load = Workload(source, world.seed, rate=4000)
    world.wait_for("a stream to cut", lambda: int(client.info()["master_repl_offset"]) > before + 1_000_000)
    load.stop()
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    plan = world.run("restore", "--repo", repo, "--to", f"rdb:{world.folder}/none", "--dry-run", "--json").json()
    assert plan["base"]["rdb_bytes"] < 10_200_000 and plan["stream"]["bytes"] > 300_000, plan
    target = world.redis("target")
    link, options = through(world, cuts_after=[4_000_000, 10_200_000])  # inside the base, then inside the stream
    restore = world.spawn("restore", "--repo", repo, "--to", target.url, *options, log="restore.log")
    assert restore.wait(PATIENCE) == 0, world.logs()
    assert link.cuts == 2 and target.digest() == source.digest()
    assert target.client().info()["role"] == "master"


def test_a_target_that_cannot_reach_us_says_how_to_be_reached(world):
    _, _, repo = captured(world)
    target = world.redis("target")
    witness, started = world.witness(), time.monotonic()
    refused(world, repo, target.url, "--announce", f"127.0.0.1:{free_port()}", code=8, says=["--listen"])
    assert time.monotonic() - started < witness.limit(60)
    assert target.client().info()["role"] == "master" and target.client()("DBSIZE") == 0


def test_a_target_that_refuses_to_replicate_is_not_said_to_be_a_replica(world):
    source, client, repo = captured(world)
    target = world.redis("target", "--rename-command", "REPLICAOF", "")
    outcome = refused(world, repo, target.url, code=13, says=["refused REPLICAOF", "renamed"])
    assert "replica, read-only" not in outcome.err and "--undo" not in outcome.err, outcome
    assert target.client()("CONFIG", "GET", "masterauth")[1] == b"" and target.client().info()["role"] == "master"


def test_a_listen_address_that_is_not_ours_is_told(world):
    _, _, repo = captured(world)
    target = world.redis("target")
    refused(world, repo, target.url, "--listen", "192.0.2.1:7000", says=["192.0.2.1"])
    refused(world, repo, target.url, "--listen", f"127.0.0.1:{target.port}", says=[str(target.port)])
    assert target.client().info()["role"] == "master" and target.client()("DBSIZE") == 0


def test_a_replica_as_target_is_refused(world):
    source, _, repo = captured(world)
    target = world.redis("target", "--replicaof", f"127.0.0.1 {source.port}")
    world.wait_for("the replica", lambda: target.client().info().get("master_link_status") == "up")
    refused(world, repo, target.url, code=5, says=["replica", "REPLICAOF NO ONE"])
    refused(world, repo, target.url, "--replace", code=5, says=["replica", "REPLICAOF NO ONE"])


def test_a_cluster_node_as_target_is_refused(world):
    _, _, repo = captured(world)
    target = world.redis("target", "--cluster-enabled", "yes", port=free_port(with_bus=True))
    refused(world, repo, target.url, code=5, says=["cluster"])


def test_a_target_with_too_few_databases_is_refused_alive(world):
    source, client, repo = captured(world)
    client("SELECT", 3)
    client("SET", "in", "three")
    client("SELECT", 0)
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    target = world.redis("target", "--databases", "1")
    refused(world, repo, target.url, code=5, says=["databases 4"])
    assert target.client()("PING") == "PONG" and target.client().info()["role"] == "master"
    dry = world.run("restore", "--repo", repo, "--to", target.url, "--dry-run", check=False)
    assert dry.code == 5 and "databases 4" in dry.out, dry
    # The source has 16, its data uses four.
    four = world.redis("four", "--databases", "4")
    world.run("restore", "--repo", repo, "--to", four.url)
    assert four.digest() == source.digest()


def test_a_targets_disk_is_looked_at_where_it_can_be_seen(world):
    source, client, repo = captured(world, 30)
    disk = world.tmpfs("disk", "8m")
    target = world.redis("target", "--appendonly", "yes", "--dir", str(disk.path))
    refused(world, repo, target.url, code=5, says=["free", str(disk.path)])
    # The stream goes into its AOF, too: there is room for the base, and not for both.
    client.pipeline([("SET", f"more:{i}", random.Random(i).randbytes(20000)) for i in range(1000)])
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    disk.resize("42m")
    refused(world, repo, target.url, code=5, says=["free", "the stream in its AOF", "CONFIG SET appendonly no"])
    assert target.client()("DBSIZE") == 0
    disk.resize("150m")
    world.run("restore", "--repo", repo, "--to", target.url)
    assert target.digest() == source.digest()


def test_a_target_with_too_little_memory_is_refused(world):
    _, _, repo = captured(world, 10)
    target = world.redis("target", "--maxmemory", "4mb")
    refused(world, repo, target.url, code=5, says=["maxmemory"])
    assert target.client()("DBSIZE") == 0


def test_a_target_with_a_password_is_restored_and_keeps_its_settings(world):
    source, _, repo = captured(world)
    target = world.redis("target", "--requirepass", "open sesame", "--masterauth", "mine", "--rdbcompression", "yes")
    refused(world, repo, target.url, code=7)
    world.run("restore", "--repo", repo, "--to", target.url, env={"ANCLORA_REDIS_PASSWORD": "open sesame"})
    client = target.client()
    client("AUTH", "open sesame")
    settings = {name: client("CONFIG", "GET", name)[1].decode()
                for name in ("masterauth", "rdbcompression", "repl-diskless-load", "replica-lazy-flush")}
    assert settings == {"masterauth": "mine", "rdbcompression": "yes", "repl-diskless-load": "disabled",
                        "replica-lazy-flush": "no"}, settings
    assert client("DEBUG", "DIGEST") == source.digest()


def test_a_target_that_is_not_there_is_told(world):
    _, _, repo = captured(world)
    refused(world, repo, f"redis://127.0.0.1:{free_port()}", code=8)


def test_restores_while_expire_runs_get_what_they_were_promised(world):
    source, client, repo = captured(world)
    load = Workload(source, world.seed, rate=1000, point_every=0.3)
    stopping, failures = threading.Event(), []

    def expire():
        while not stopping.is_set():
            outcome = world.run("expire", "--repo", repo, check=False)
            if outcome.code != 0:
                failures.append(outcome)

    thread = threading.Thread(target=expire)
    thread.start()
    try:
        target = world.redis("target")
        for _ in range(4):
            time.sleep(1)
            load.enough(1)
            world.wait_protected(repo, load.points[-1].offset)
            point = random.choice(load.points)
            world.wait_protected(repo, point.offset)
            assert world.restored_digest(repo, f"offset:1/{point.offset}", target) == point.digest
    finally:
        stopping.set()
        thread.join()
        load.stop()
    assert not failures, failures[0]
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    world.run("verify", "--repo", repo)


def test_a_time_in_a_gap_is_refused_with_the_points_on_either_side(world):
    source, client, repo = captured(world)
    source.kill()
    time.sleep(3)
    source.start()
    source.client()("SET", "new", "life")
    status = world.wait_for("the gap", lambda: (lambda s: s["gaps"] and s)(world.status(repo)))
    gap = status["gaps"][0]
    before, after = (moment(gap[side]["time"]) for side in ("before", "after"))
    assert after - before > 1.5, gap
    middle = (before + after) / 2
    target = world.redis("target")
    outcome = refused(world, repo, target.url, at=rfc3339(middle), code=12)
    for side in ("before", "after"):
        assert gap[side]["position"] in outcome.err, (gap, outcome)
    assert target.client()("DBSIZE") == 0
    world.run("restore", "--repo", repo, "--at", f"offset:{gap['before']['position']}", "--to", target.url)


def moment(text):
    import datetime
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def rfc3339(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1e6):06d}Z"


def test_an_offset_inside_a_transaction_or_a_command_is_refused_with_both_neighbours(world):
    source, client, repo = captured(world)
    client("SET", "zero", "0")  # the SELECT that precedes the first write is a point of its own
    start = take_point(client)
    client.pipeline([("MULTI",), ("SET", "one", "x" * 100), ("INCR", "two"), ("DEL", "three", "key:1"), ("EXEC",)])
    end = take_point(client)
    client("SET", "three", "y" * 300)
    last = take_point(client)
    world.wait_protected(repo, last.offset)
    target = world.redis("target")
    for offset in (start.offset + 20, (start.offset + end.offset) // 2, end.offset - 3):
        outcome = refused(world, repo, target.url, at=f"offset:{offset}", code=5)
        assert str(start.offset) in outcome.err and str(end.offset) in outcome.err, (start, end, outcome)
    outcome = refused(world, repo, target.url, at=f"offset:{end.offset + 100}", code=5)
    assert str(end.offset) in outcome.err and str(last.offset) in outcome.err, (end, last, outcome)
    for point in (start, end, last):
        assert world.restored_digest(repo, f"offset:{point.offset}", target) == point.digest


def test_a_moment_that_is_not_there_is_refused_with_the_next_step(world):
    _, client, repo = captured(world)
    target = world.redis("target")
    newest = world.status(repo)["protected_offset"]
    refused(world, repo, target.url, at=rfc3339(time.time() + 3600), code=5, says=["newest"])
    refused(world, repo, target.url, at=rfc3339(time.time() - 86400))
    refused(world, repo, target.url, at=f"offset:{newest + 10_000_000}", code=5)
    refused(world, repo, target.url, at="offset:7/100", code=3)
    refused(world, repo, target.url, at="tag:never-made", code=3)
    refused(world, repo, target.url, at="offset:99999999999999999999999", code=2)
    refused(world, repo, target.url, "--name", "nobody", code=3)
    refused(world, repo, target.url, "--name", "../..", code=2)
    assert target.client()("DBSIZE") == 0


def test_a_dry_run_changes_nothing(world):
    source, client, repo = captured(world)
    # Capture writes its signs of life: it is stopped, so that the repository stands still.
    capture = world.processes[0]
    capture.terminate()
    capture.wait(PATIENCE)
    target = world.redis("target")
    target.client()("SET", "precious", "1")
    before = (fingerprint(repo), target.digest())
    refusing = world.run("restore", "--repo", repo, "--to", target.url, "--dry-run", "--json", check=False)
    assert refusing.code == 5 and any(f["fatal"] for f in refusing.json()["findings"]), refusing
    plan = world.run("restore", "--repo", repo, "--to", target.url, "--dry-run", "--replace", "--json").json()
    for field in ("position", "base", "fetch_bytes", "expected_seconds", "memory_bytes", "findings"):
        assert field in plan, (field, plan)
    world.run("restore", "--repo", repo, "--to", target.url, "--dry-run", "--replace")
    world.run("restore", "--repo", repo, "--to", f"dir:{world.folder}/new", "--dry-run")
    world.run("restore", "--repo", repo, "--to", f"rdb:{world.folder}/new.rdb", "--dry-run")
    assert not (world.folder / "new").exists() and not (world.folder / "new.rdb").exists()
    assert (fingerprint(repo), target.digest()) == before
    client = target.client()
    assert client("CONFIG", "GET", "masterauth")[1] == b"" and client.info()["role"] == "master"


def test_a_folder_or_file_that_is_there_is_not_written_over(world):
    _, _, repo = captured(world)
    folder = world.folder / "full"
    folder.mkdir()
    (folder / "precious").write_text("1")
    refused(world, repo, f"dir:{folder}")
    refused(world, repo, f"dir:{folder}", "--dry-run")
    assert [path.name for path in folder.iterdir()] == ["precious"]
    file = world.folder / "dump.rdb"
    file.write_text("precious")
    refused(world, repo, f"rdb:{file}")
    refused(world, repo, f"rdb:{file}", "--dry-run")
    assert file.read_text() == "precious"


def test_key_counts_of_the_source_are_compared_before_the_promotion(world):
    source, client, repo = captured(world)
    target = world.redis("target")

    def compared(at):
        target.client()("FLUSHALL")
        outcome = world.run("restore", "--repo", repo, "--at", at, "--to", target.url, "--json").json()
        return "as many in each database as the source held" in next(
            check["result"] for check in outcome["checks"] if check["name"] == "keys")

    def compared_under_load():
        load.enough(1)
        world.wait_protected(repo, load.points[-1].offset)
        return compared(f"offset:{load.points[-1].offset}")
    load = Workload(source, world.seed, rate=1500, expiring=True)
    time.sleep(13)  # the source is counted every 10 s
    world.wait_for("counts under load", compared_under_load)
    load.stop()
    end = take_point(client)
    world.wait_protected(repo, end.offset)
    # Idle, it is counted where it stands.
    time.sleep(21)
    world.wait_for("counts at rest", lambda: compared("latest"))
    ignored = world.redis("ignored")
    outcome = world.run("restore", "--repo", repo, "--to", ignored.url, "--ignore-key-counts")
    assert "not compared" in outcome.out, outcome
