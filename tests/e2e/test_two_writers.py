"""Two captures for one source: the log itself decides, and exactly one goes on."""
import time

from harness import PATIENCE
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
        world.wait_for("one steps down", lambda: any(p.poll() is not None for p in pair))
        time.sleep(1)
        codes = [p.poll() for p in pair]
        assert sorted(codes, key=str) == [11, None], (codes, world.logs())
        status = world.wait_protected(repo, offset_of(source))
        assert status["gaps"] == [], status
        world.run("verify", "--repo", repo)
        survivor = pair[codes.index(None)]
        survivor.terminate()
        assert survivor.wait(PATIENCE) == 0
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
    written = time.monotonic()  # its last sign of life is younger
    client("SET", "second", "1")
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    again.kill()
    again.wait()
    killed = time.monotonic()
    other = ("capture", "--source", source.url, "--repo", repo, "--outbox", world.folder / "other")
    refusals, running = 0, False
    while not running:
        log = world.folder / f"capture-other-{refusals}.log"
        stranger = world.spawn(*other, log=log.name)
        while stranger.poll() is None and not running:
            time.sleep(0.05)
            running = "streaming" in log.read_text()
        assert not running or time.monotonic() - written >= 30, log.read_text()
        if not running:
            assert stranger.poll() == 11 and "hint:" in log.read_text(), log.read_text()
            assert refusals == 0 or time.monotonic() - killed < 30 + PATIENCE, "the place is never free"
            refusals += 1
            time.sleep(3)
    assert refusals >= 1 or time.monotonic() - killed > 30, "the place was free at once"
    client("SET", "third", "1")
    status = world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    assert status["gaps"] == [], status
    # And now the first holder is the stranger.
    refused = world.run("capture", "--source", source.url, "--repo", repo, check=False)
    assert refused.code == 11 and "nothing is protected" not in refused.out, refused  # the other one protects it
    assert world.restored_digest(repo) == source.digest()


def test_a_second_process_with_the_same_outbox_is_refused_by_its_lock(world):
    source = world.redis("source")
    repo = world.init(world.folder / "repo")
    first = world.capture(repo, source)
    client = source.client()
    client("SET", "first", "1")
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    second = world.run("capture", "--source", source.url, "--repo", repo, check=False)
    assert second.code not in (0, 1, 16) and "hint:" in second.err, second
    assert first.poll() is None
