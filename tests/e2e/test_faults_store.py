"""The store and the disks at their worst: full, read-only, gone, failing to sync. What was protected stays so."""
import random
import shutil
import socket
import time

from harness import PATIENCE, free_port
from test_faults_link import BACKLOG, attached, full_syncs, no_gap_and_equal, offset_of, points_hold, protect
from workload import Workload, take_point


def capture_log(world, name="capture.log"):
    return (world.folder / name).read_text()


def on_a_small_disk(world, size, *capture_options):
    """A repository on a file system of its own, with a source that is captured into it."""
    disk = world.tmpfs("disk", size)
    repo = world.init(disk.path / "repo")
    source = world.redis("source", *BACKLOG)
    _, capture = protect(world, source, None, *capture_options, repo=repo)
    return disk, repo, source, capture


def acknowledges(source, value):
    """Does a WAIT on the source get the copy it asks for within two seconds?"""
    client = source.client()
    client("SET", "waited", value)
    counted = client("WAIT", 1, 2000)
    client.close()
    return counted == 1


def test_a_full_disk_is_waited_out_with_the_outbox(world):
    disk, repo, source, capture = on_a_small_disk(world, "6m")
    load = Workload(source, world.seed, rate=4000)
    world.wait_for("the disk is full", lambda: disk.free() < 65536)
    time.sleep(3)
    assert capture.poll() is None, world.logs()
    assert not acknowledges(source, "while full"), "acknowledged what the store did not take"
    world.wait_for("it is told", lambda: "outbox" in capture_log(world))
    disk.resize("300m")
    time.sleep(2)
    load.enough()
    load.stop()
    no_gap_and_equal(world, repo, source)
    assert full_syncs(source) == 1
    points_hold(world, repo, load.points)


def test_a_read_only_disk_is_waited_out(world):
    disk, repo, source, capture = on_a_small_disk(world, "300m")
    load = Workload(source, world.seed, rate=1000)
    time.sleep(1)
    disk.read_only()
    time.sleep(4)
    assert capture.poll() is None and not acknowledges(source, "while read-only")
    disk.read_only(False)
    time.sleep(1)
    load.enough()
    load.stop()
    no_gap_and_equal(world, repo, source)
    assert full_syncs(source) == 1
    points_hold(world, repo, load.points)


def test_a_repository_whose_disk_is_unmounted_is_not_begun_anew_underneath(world):
    source = world.redis("source", *BACKLOG)
    repo, capture = protect(world, source)
    load = Workload(source, world.seed, rate=1000)
    time.sleep(1.5)
    away = world.folder / "away"
    (world.folder / "repo").rename(away)
    time.sleep(3)
    assert capture.poll() is None, world.logs()
    assert not acknowledges(source, "while away"), "acknowledged what went into an empty folder"
    left = world.folder / "repo"
    written = [str(path) for path in left.rglob("*") if path.is_file()] if left.exists() else []
    assert not written, written
    if left.exists():
        shutil.rmtree(left)
    away.rename(left)
    time.sleep(1)
    load.enough()
    load.stop()
    no_gap_and_equal(world, repo, source)
    assert full_syncs(source) == 1
    points_hold(world, repo, load.points)


def test_at_the_outbox_limit_capture_tells_leaves_and_comes_back_by_psync(world):
    disk, repo, source, capture = on_a_small_disk(world, "300m", "--outbox-limit", "3MiB")
    disk.read_only()
    load = Workload(source, world.seed, rate=8000)
    world.wait_for("capture leaves the source", lambda: not attached(source))
    time.sleep(2)
    assert capture.poll() is None and not attached(source)
    world.wait_for("it is told", lambda: "the outbox is full" in capture_log(world))
    load.enough()
    load.stop()
    disk.read_only(False)
    no_gap_and_equal(world, repo, source)
    assert full_syncs(source) == 1 and attached(source)
    points_hold(world, repo, load.points)


def test_a_full_outbox_disk_is_told_and_costs_nothing_protected(world):
    """The outbox has a disk of its own, and that is full; the store is away."""
    disk = world.tmpfs("store", "300m")
    outbox = world.tmpfs("outbox", "2m")
    repo = world.init(disk.path / "repo")
    source = world.redis("source", *BACKLOG)
    options = ("--outbox", outbox.path / "box")
    _, capture = protect(world, source, None, *options, repo=repo)
    load = Workload(source, world.seed, rate=6000)
    disk.read_only()
    time.sleep(8)
    load.enough()
    load.stop()
    disk.read_only(False)
    world.wait_for("its end, or all is protected",
                   lambda: capture.poll() is not None or world.status(repo)["protected_offset"] >= offset_of(source))
    ended = capture.poll()
    if ended is not None:
        assert ended == 10 and "hint:" in capture_log(world), (ended, world.logs())
    if ended is not None:
        world.capture(repo, source, *options, log="capture-again.log")
    no_gap_and_equal(world, repo, source)
    assert full_syncs(source) == 1
    points_hold(world, repo, load.points)


def test_a_full_disk_under_the_restore_target_is_told(world):
    source = world.redis("source")
    source.client().pipeline([("SET", f"big:{i}", random.Random(i).randbytes(20000)) for i in range(300)])
    repo, _ = protect(world, source)
    small = world.tmpfs("small", "1m")
    for to in (f"dir:{small.path}/dir", f"rdb:{small.path}/dump.rdb"):
        outcome = world.run("restore", "--repo", repo, "--to", to, check=False)
        assert outcome.code == 10 and "hint:" in outcome.err, outcome
        assert not (small.path / "dump.rdb").exists()
    outcome = world.run("restore", "--repo", repo, "--to", f"dir:{world.folder}/roomy")
    again = world.redis("roomy", "--appendonly", "yes")
    assert again.digest() == source.digest()


def capture_under_strace(world, source, repo, inject, log):
    """capture, whose system calls fail as told. -D: our child is capture itself, the tracer stands aside."""
    anclora, world.anclora = world.anclora, "strace"
    try:
        return world.spawn("-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", inject, anclora, "capture",
                           "--source", source.url, "--repo", repo, "--pack-age", "2s", log=log)
    finally:
        world.anclora = anclora


def test_a_failed_sync_is_never_taken_for_a_good_one(world):
    source = world.redis("source", *BACKLOG)
    repo, capture = protect(world, source)
    load = Workload(source, world.seed, rate=600, point_every=0.3)
    for round_number, when in enumerate(("3", "9", "14", "20+11", "6+")):
        capture.kill()
        capture.wait()
        inject = f"inject=fsync,fdatasync:error=EIO:when={when}"
        load.enough(2 * round_number + 1)
        begun = load.points[-1].offset
        capture = capture_under_strace(world, source, repo, inject, log=f"capture-{round_number}.log")
        time.sleep(4)
        if when != "6+":
            world.wait_for("more is protected, or its end",
                           lambda: capture.poll() is not None or world.status(repo)["protected_offset"] >= begun)
        if when == "6+":
            world.wait_for("word of a failed sync", lambda: capture.poll() is not None or "the store is away" in capture_log(
                world, f"capture-{round_number}.log"))
        ended = capture.poll()
        if ended is not None:
            log = capture_log(world, f"capture-{round_number}.log")
            assert ended in (8, 14) and "hint:" in log, (when, ended, log)
        if when == "6+":
            assert not acknowledges(source, "while nothing can be synced")
    capture.kill()
    capture.wait()
    # What was called protected meanwhile is there, whatever failed.
    protected = world.status(repo)["protected_offset"]
    candidates = [point for point in load.points if point.offset <= protected]
    points_hold(world, repo, candidates)
    capture = world.capture(repo, source, log="capture-last.log")
    time.sleep(1)
    load.enough()
    load.stop()
    no_gap_and_equal(world, repo, source)
    assert full_syncs(source) == 1
    points_hold(world, repo, load.points)
    world.run("verify", "--repo", repo)


def test_foreign_files_links_and_hostile_names_harm_nobody(world):
    source = world.redis("source", *BACKLOG)
    repo, capture = protect(world, source, None, "--pack-age", "2s")
    load = Workload(source, world.seed, rate=500)
    time.sleep(3)
    folder = world.folder / "repo"
    logs = next(folder.glob("sources/default/*/log"))
    secret = world.folder / "secret"
    secret.write_text("must not be read through a link")
    hostile = [b"README", b".hidden", b"new\nline", b"bell\x07", b"\x1b[31mred", b"\xff\xfe", b"..evil", b"a" * 255, b"-rf",
               b"99999999999999999999999999", b"0", b"%2e%2e", b" "]
    for parent in (folder, folder / "sources", folder / "sources/default", logs, logs.parent / "pack", logs.parent / "base",
                   folder / "keys", folder / "sources/default/checkpoint", folder / "sources/default/pin"):
        if not parent.is_dir():
            continue
        for name in hostile:
            with open(bytes(parent) + b"/" + name, "wb") as file:
                file.write(b"not ours")
        (parent / "link").symlink_to(secret)
        (parent / "loop").symlink_to(parent)
        (parent / "folder").mkdir(exist_ok=True)
        import os
        os.mkfifo(parent / "fifo")
        with socket.socket(socket.AF_UNIX) as listener:
            cwd = os.getcwd()
            os.chdir(parent)
            listener.bind("socket")
            os.chdir(cwd)
    (folder / "sources/evil name").mkdir()
    (folder / "sources/linked").symlink_to(folder / "sources/default")
    time.sleep(2)
    load.stop()
    assert capture.poll() is None, world.logs()
    world.wait_protected(repo, offset_of(source))
    report = world.run("verify", "--repo", repo, "--json", check=False)
    assert report.code in (0, 12), report
    body = report.json()
    assert body["foreign_count"] > 0, body
    assert "must not be read" not in report.out + report.err
    assert "\x1b[31m" not in report.out + world.run("verify", "--repo", repo, check=False).out
    for command in (["status"], ["history"], ["find", "--dangerous"], ["tag", "t1"], ["tag", "--list"], ["expire", "--dry-run"],
                    ["expire"]):
        world.run(*command, "--repo", repo, "--name", "default") if command[0] != "expire" else world.run(
            *command, "--repo", repo)
    target = world.redis("target")
    assert world.restored_digest(repo, "latest", target, "--name", "default") == source.digest()
    capture.kill()
    capture.wait()
    world.capture(repo, source, log="capture-again.log")
    source.client()("SET", "after", "1")
    status = world.wait_protected(repo, offset_of(source))
    assert status["gaps"] == []
    assert (folder / "README").exists(), "a foreign file is not ours to delete"


def test_a_repository_of_a_newer_format_is_refused_naming_what_to_install(world):
    repo = world.init(world.folder / "repo", "--no-encryption")
    config = world.folder / "repo/config"
    original = config.read_text()
    assert '"format":1' in original.replace(" ", ""), original
    for text in (original.replace('"format":1', '"format":2').replace('"0.1.0"', '"7.8.9"').replace('"format": 1', '"format": 2'),
                 original.replace('"required_features":[', '"required_features":[{"name":"quantum","since":"7.8.9"},')):
        assert text != original
        config.chmod(0o644)
        config.write_text(text)
        for command in (["status"], ["verify"], ["history"], ["capture", "--source", f"redis://127.0.0.1:{free_port()}"],
                        ["restore", "--to", f"redis://127.0.0.1:{free_port()}"], ["expire"]):
            outcome = world.run(*command, "--repo", repo, check=False)
            assert outcome.code == 13 and "7.8.9" in outcome.err, (command, outcome)


def test_a_wrong_passphrase_opens_nothing_for_any_command(world):
    source = world.redis("source")
    repo, capture = protect(world, source)
    capture.terminate()
    capture.wait(PATIENCE)
    wrong = world.folder / "wrong"
    wrong.write_text("not it\n")
    empty = world.folder / "empty"
    empty.write_text("")
    commands = (["status"], ["history"], ["find", "--dangerous"], ["verify"], ["tag", "x"], ["tag", "--list"], ["expire"],
                ["expire", "--dry-run"], ["mirror", "--to", world.folder / "copy"], ["key", "list"],
                ["restore", "--to", f"dir:{world.folder}/out"], ["restore", "--to", source.url, "--replace"],
                ["capture", "--source", source.url])
    for command in commands:
        outcome = world.run(*command, "--repo", repo, "--passphrase-file", wrong, check=False)
        assert outcome.code == 7 and "hint:" in outcome.err, (command, outcome)
        assert "not it" not in outcome.err + outcome.out
    for file in (empty, world.folder / "not-there", world.folder):
        outcome = world.run("status", "--repo", repo, "--passphrase-file", file, check=False)
        assert outcome.code not in (0, 1, 16) and str(file) in outcome.err, outcome
    assert not (world.folder / "out").exists()
    assert take_point(source.client()).digest == source.digest()


def test_a_repository_begun_anew_under_a_running_capture_gets_nothing_of_the_old_one(world):
    source, repo = world.redis("source"), world.init(world.folder / "repo")
    client = source.client()
    capture = world.capture(repo, source)
    client("SET", "a", "1")
    world.wait_protected(repo, int(client.info()["master_repl_offset"]), timeout=120)

    shutil.rmtree(repo)
    world.init(repo)
    client("SET", "a", "2")
    assert capture.wait(timeout=120) == 5
    assert "holds another repository now" in (world.folder / "capture.log").read_text(), world.logs()
    assert not (world.folder / "repo" / "sources").exists()

    world.capture(repo, source, log="again.log")
    client("SET", "a", "3")
    world.wait_protected(repo, int(client.info()["master_repl_offset"]), timeout=120)
    assert world.restored_digest(repo) == source.digest()
