"""Two captures for one source: the log itself decides, and exactly one goes on."""
import time

from workload import Workload


def offset_of(server):
    return int(server.client().info()["master_repl_offset"])


def test_of_two_captures_started_at_once_exactly_one_survives(world):
    source = world.redis("source", "--repl-backlog-size", "64mb")
    load = Workload(source, world.seed, rate=800)
    for attempt in range(4):
        repo = world.init(world.folder / f"repo-{attempt}")
        pair = [world.capture(repo, source, "--outbox", world.folder / f"outbox-{attempt}-{i}", log=f"capture-{attempt}-{i}.log")
                for i in range(2)]
        world.wait_for("one steps down", lambda: any(p.poll() is not None for p in pair), timeout=40)
        time.sleep(1)
        codes = [p.poll() for p in pair]
        assert sorted(codes, key=str) == [11, None], (codes, world.logs())
        status = world.wait_protected(repo, offset_of(source))
        assert status["gaps"] == [], status
        world.run("verify", "--repo", repo)
        survivor = pair[codes.index(None)]
        survivor.terminate()
        assert survivor.wait(30) == 0
    load.stop()
    world.restored_digest(repo)


def test_a_dead_holders_place_is_free_only_after_thirty_seconds_but_at_once_to_itself(world):
    source = world.redis("source", "--repl-backlog-size", "64mb")
    repo = world.init(world.folder / "repo")
    holder = world.capture(repo, source)
    client = source.client()
    client("SET", "first", "1")
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    holder.kill()
    holder.wait()
    # The same holder, known by its outbox, goes on at once.
    again = world.capture(repo, source, log="capture-again.log")
    client("SET", "second", "1")
    world.wait_protected(repo, int(client.info()["master_repl_offset"]), timeout=10)
    again.kill()
    again.wait()
    killed = time.monotonic()
    other = ("capture", "--source", source.url, "--repo", repo, "--outbox", world.folder / "other")
    early = world.run(*other, check=False, timeout=60)
    assert early.code == 11 and time.monotonic() - killed < 20, early
    assert "hint:" in early.err, early
    time.sleep(max(0.0, killed + 24 - time.monotonic()))
    assert world.run(*other, check=False, timeout=60).code == 11
    time.sleep(max(0.0, killed + 32 - time.monotonic()))
    world.spawn(*other, log="capture-other.log")
    client("SET", "third", "1")
    status = world.wait_protected(repo, int(client.info()["master_repl_offset"]), timeout=20)
    assert status["gaps"] == [], status
    # And now the first holder is the stranger.
    assert world.run("capture", "--source", source.url, "--repo", repo, check=False, timeout=60).code == 11
    assert world.restored_digest(repo) == source.digest()


def test_a_second_process_with_the_same_outbox_is_refused_by_its_lock(world):
    source = world.redis("source")
    repo = world.init(world.folder / "repo")
    first = world.capture(repo, source)
    client = source.client()
    client("SET", "first", "1")
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    second = world.run("capture", "--source", source.url, "--repo", repo, check=False, timeout=60)
    assert second.code not in (0, 1, 16) and "hint:" in second.err, second
    assert first.poll() is None
