"""The link between source and capture, and the source itself, at their worst: nothing lost, no gap where none is due."""
import random
import signal
import time

from harness import PATIENCE, S3
from proxy import RandomCutter
from workload import Workload, take_point

BACKLOG = ("--repl-backlog-size", "64mb")


def replication(server):
    client = server.client()
    try:
        return client.info()
    finally:
        client.close()


def offset_of(server):
    return int(replication(server)["master_repl_offset"])


def full_syncs(server):
    return int(replication(server)["sync_full"])


def attached(server):
    return replication(server)["connected_slaves"] == "1"


def protect(world, source, link=None, *options, repo=None):
    """Captures `source` through `link` (a proxy, or the source itself) and waits until its first base is safe."""
    repo = repo or world.init(world.folder / "repo")
    capture = world.capture(repo, link or source, *options)
    client = source.client()
    client("SET", "first", "1")
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    client.close()
    return repo, capture


def points_hold(world, repo, points, timeline=1, count=3):
    """Some of the remembered points, restored, are what they were."""
    assert len(points) >= count, points
    target = world.redis("points")
    for point in random.Random(world.seed).sample(points, count):
        restored = world.restored_digest(repo, f"offset:{timeline}/{point.offset}", target)
        assert restored == point.digest, (point, restored)


def no_gap_and_equal(world, repo, source, timeout=PATIENCE):
    status = world.wait_protected(repo, offset_of(source), timeout=timeout)
    assert status["gaps"] == [] and len(status["windows"]) == 1, status
    assert world.restored_digest(repo) == source.digest()
    return status


def test_a_link_cut_at_random_under_load_costs_nothing(world):
    source = world.redis("source", *BACKLOG)
    link = world.proxy(source.port)
    repo, capture = protect(world, source, link)
    load = Workload(source, world.seed, rate=2000, big=True)
    cutter = RandomCutter(link, world.seed, 0.2, 1.5)
    time.sleep(10)
    world.wait_for("many cuts", lambda: link.cuts > 5)
    cutter.stop()
    load.enough()
    load.stop()
    assert capture.poll() is None
    no_gap_and_equal(world, repo, source)
    assert full_syncs(source) == 1
    points_hold(world, repo, load.points)


def test_a_base_cut_in_the_middle_is_asked_for_again(world):
    source = world.redis("source", *BACKLOG)
    client = source.client()
    client.pipeline([("SET", f"big:{i}", random.Random(i).randbytes(20000)) for i in range(300)])
    link = world.proxy(source.port, cuts_after=[1_500_000])
    repo = world.init(world.folder / "repo")
    capture = world.capture(repo, link)
    world.wait_for("the cut", lambda: link.cuts == 1)
    client("SET", "last", "1")
    no_gap_and_equal(world, repo, source)
    assert capture.poll() is None and full_syncs(source) == 2


def test_a_link_that_trickles_one_byte_at_a_time_is_understood(world):
    source = world.redis("source", *BACKLOG)
    link = world.proxy(source.port, chunk=1)
    repo, _ = protect(world, source, link)
    load = Workload(source, world.seed, rate=200, point_every=0.2)
    time.sleep(3)
    load.enough()
    load.stop()
    no_gap_and_equal(world, repo, source)
    points_hold(world, repo, load.points)


def test_a_slow_and_late_link_costs_lag_and_nothing_else(world):
    source = world.redis("source", *BACKLOG)
    link = world.proxy(source.port)
    repo, _ = protect(world, source, link)
    link.rate, link.delay = 300_000, 0.03
    load = Workload(source, world.seed, rate=3000)
    time.sleep(5)
    load.enough()
    load.stop()
    link.rate, link.delay = None, 0
    no_gap_and_equal(world, repo, source)
    points_hold(world, repo, load.points)


def test_a_half_open_link_is_noticed_and_replaced(world):
    """The network swallows everything in both directions; the source gives up on us, and then the way is open again."""
    source = world.redis("source", *BACKLOG, "--repl-timeout", "5", "--repl-ping-replica-period", "1")
    link = world.proxy(source.port)
    repo, capture = protect(world, source, link)
    load = Workload(source, world.seed, rate=500)
    link.swallow = True
    world.wait_for("the source notices", lambda: not attached(source))
    link.cut()
    link.swallow = False
    time.sleep(1)
    load.stop()
    no_gap_and_equal(world, repo, source)
    assert capture.poll() is None and full_syncs(source) == 1


def test_a_refusing_source_is_waited_for(world):
    source = world.redis("source", *BACKLOG)
    link = world.proxy(source.port)
    repo, capture = protect(world, source, link)
    load = Workload(source, world.seed, rate=500)
    link.refuse()
    link.cut()
    time.sleep(3)
    assert capture.poll() is None
    link.refuse(False)
    load.stop()
    no_gap_and_equal(world, repo, source)
    assert full_syncs(source) == 1


def test_a_frozen_source_leaves_signs_of_life_and_goes_on(world):
    source = world.redis("source", *BACKLOG)
    repo, capture = protect(world, source)
    load = Workload(source, world.seed, rate=500)
    time.sleep(1)
    source.process.send_signal(signal.SIGSTOP)
    frozen, witness = time.monotonic(), world.witness()
    try:
        time.sleep(2)  # what came before is written by then, or soon

        def signs():
            asked = time.monotonic()
            return asked - world.status(repo)["last_entry_age_seconds"] - frozen > 5
        world.wait_for("a sign of life", signs)
        assert time.monotonic() - frozen < witness.limit(13) and capture.poll() is None
    finally:
        source.process.send_signal(signal.SIGCONT)
    time.sleep(1)
    load.stop()
    no_gap_and_equal(world, repo, source)
    assert full_syncs(source) == 1


def test_a_frozen_capture_whose_place_was_taken_steps_down(world):
    source = world.redis("source", *BACKLOG)
    repo, frozen = protect(world, source)
    load = Workload(source, world.seed, rate=800)
    time.sleep(1.5)
    frozen.send_signal(signal.SIGSTOP)
    try:
        time.sleep(33)
        second = world.capture(repo, source, "--outbox", world.folder / "second-outbox", log="capture-second.log")
        world.wait_protected(repo, offset_of(source))
    finally:
        frozen.send_signal(signal.SIGCONT)
    assert frozen.wait(PATIENCE) == 11, world.logs()
    time.sleep(1)
    load.enough()
    load.stop()
    assert second.poll() is None
    no_gap_and_equal(world, repo, source)
    points_hold(world, repo, load.points)


def test_a_slow_store_never_makes_the_source_drop_us(world):
    """Tiny backlog, tiny output buffer: what the store cannot take waits with us, not at the source."""
    with S3(world) as s3:
        slow = world.proxy(s3.port)
        world.environment["AWS_ENDPOINT_URL_S3"] = f"http://127.0.0.1:{slow.port}"
        repo = world.init(s3.url("repo"))
        source = world.redis("source", "--repl-backlog-size", "16kb", "--client-output-buffer-limit", "replica 1mb 512kb 5")
        protect(world, source, repo=repo)
        slow.rate, slow.delay = 30_000, 0.2
        load = Workload(source, world.seed, rate=2000)
        time.sleep(12)
        load.enough()
        load.stop()
        slow.rate, slow.delay = None, 0
        no_gap_and_equal(world, repo, source)
        info = replication(source)
        assert info["sync_full"] == "1" and info["sync_partial_ok"] == "0", info
        points_hold(world, repo, load.points)


def promoted_pair(world, *options):
    """A source with a replica of its own, and the link (the address) that capture follows."""
    source = world.redis("source", *BACKLOG, "--repl-ping-replica-period", "3600")  # nothing comes by itself at the end
    to_source = world.proxy(source.port)
    replica = world.redis("replica", *BACKLOG, "--replicaof", f"127.0.0.1 {to_source.port}")
    world.wait_for("the replica", lambda: replication(replica).get("master_link_status") == "up")
    return source, to_source, replica


def test_a_promoted_replica_at_another_url_is_followed_without_a_gap(world):
    source, _, replica = promoted_pair(world)
    repo, capture = protect(world, source)
    load = Workload(source, world.seed, rate=1000)
    time.sleep(2)
    load.enough()
    load.stop()
    world.wait_protected(repo, offset_of(source))
    world.wait_for("the replica has it all", lambda: offset_of(replica) >= offset_of(source))
    source.kill()
    capture.terminate()
    capture.wait(PATIENCE)
    replica.client()("REPLICAOF", "NO", "ONE")
    refused = world.run("capture", "--source", replica.url, "--repo", repo, check=False)
    assert refused.code == 5 and "--allow-url-change" in refused.err, refused
    world.capture(repo, replica, "--allow-url-change", log="capture-again.log")
    more = Workload(replica, world.seed + 1, rate=1000)
    time.sleep(2)
    more.stop()
    no_gap_and_equal(world, repo, replica)
    assert full_syncs(replica) == 0
    points_hold(world, repo, load.points + more.points)


def test_a_promoted_replica_at_the_same_address_is_followed_without_a_gap(world):
    source, _, replica = promoted_pair(world)
    address = world.proxy(source.port)
    repo, capture = protect(world, source, address)
    load = Workload(source, world.seed, rate=1000)
    time.sleep(2)
    load.enough()
    load.stop()
    world.wait_for("the replica has it all", lambda: offset_of(replica) >= offset_of(source))
    source.kill()
    replica.client()("REPLICAOF", "NO", "ONE")
    address.target_port = replica.port
    address.cut()
    more = Workload(replica, world.seed + 1, rate=1000)
    time.sleep(2)
    more.stop()
    no_gap_and_equal(world, repo, replica)
    assert full_syncs(replica) == 0 and capture.poll() is None
    points_hold(world, repo, load.points + more.points)


def test_a_promoted_replica_that_is_behind_us_forks_the_timeline_without_a_full_sync(world):
    source, to_source, replica = promoted_pair(world)
    address = world.proxy(source.port)
    repo, capture = protect(world, source, address)
    load = Workload(source, world.seed, rate=1000, point_every=0.3)
    time.sleep(1.5)
    load.enough()
    to_source.swallow = True  # from here on the replica hears nothing
    time.sleep(2)
    load.stop()
    client = source.client()
    client("SET", "only", "the lost source and we have this")
    last = take_point(client)
    world.wait_protected(repo, last.offset)
    behind = offset_of(replica)
    assert behind < last.offset
    source.kill()
    to_source.cut()
    replica.client()("REPLICAOF", "NO", "ONE")
    address.target_port = replica.port
    address.cut()
    more = Workload(replica, world.seed + 1, rate=1000)
    time.sleep(2)
    more.enough()
    more.stop()
    wanted = offset_of(replica)
    status = world.wait_for("the fork", lambda: (lambda s: s["protected_timeline"] == 2 and s["protected_offset"] >= wanted
                                                 and s)(world.status(repo)))
    assert full_syncs(replica) == 0, status
    assert world.restored_digest(repo) == replica.digest()
    # No older point is harmed: what the lost source alone knew is still there, on the timeline that it belongs to.
    assert world.restored_digest(repo, f"offset:1/{last.offset}") == last.digest
    points_hold(world, repo, load.points)
    points_hold(world, repo, more.points, timeline=2)


def test_a_planned_restart_with_a_final_save_goes_on(world):
    source = world.redis("source", *BACKLOG, "--shutdown-timeout", str(PATIENCE))
    repo, capture = protect(world, source)
    load = Workload(source, world.seed, rate=500)
    time.sleep(1)
    load.enough(2)
    load.stop()
    client = source.client()
    try:
        client("SHUTDOWN", "SAVE")
    except ConnectionError:
        pass
    source.process.wait(PATIENCE)
    source.start()
    fresh = source.client()
    fresh("SET", "after", "the restart")
    no_gap_and_equal(world, repo, source)
    assert full_syncs(source) == 0 and capture.poll() is None
    points_hold(world, repo, load.points, count=2)


def test_a_source_that_comes_back_older_from_its_rdb_forks_the_timeline(world):
    """Killed after a save: it returns as it was at the save. What it lost stays restorable on the old timeline."""
    source = world.redis("source", *BACKLOG)
    repo, _ = protect(world, source)
    client = source.client()
    client.pipeline([("SET", f"k:{i}", i) for i in range(100)])
    client("SAVE")
    client("SET", "lost", "with the crash")
    last = take_point(client)
    world.wait_protected(repo, last.offset)
    source.kill()
    source.start()
    client = source.client()
    assert client("GET", "lost") is None
    client("SET", "new", "1")
    status = world.wait_for("the fork", lambda: (lambda s: s["protected_timeline"] == 2 and s)(world.status(repo)))
    assert status["gaps"] == [] and full_syncs(source) == 0, status
    world.wait_protected(repo, offset_of(source))
    assert world.restored_digest(repo) == source.digest()
    assert world.restored_digest(repo, f"offset:1/{last.offset}") == last.digest


def test_a_restart_from_the_append_only_file_is_an_honest_gap(world):
    """Its history has a new name and nobody knows where it leaves the old one: both sides stay restorable."""
    source = world.redis("source", *BACKLOG, "--appendonly", "yes")
    repo, _ = protect(world, source)
    client = source.client()
    client.pipeline([("SET", f"k:{i}", i) for i in range(100)])
    last = take_point(client)
    world.wait_protected(repo, last.offset)
    source.kill()
    source.start()
    source.client()("SET", "new", "1")
    status = world.wait_for("the new timeline", lambda: (lambda s: len(s["windows"]) == 2 and s)(world.status(repo)))
    assert len(status["gaps"]) == 1 and status["gaps"][0]["reason"], status
    world.wait_protected(repo, offset_of(source))
    assert world.restored_digest(repo) == source.digest()
    assert world.restored_digest(repo, f"offset:1/{last.offset}") == last.digest


def test_a_planned_shutdown_is_not_kept_waiting_by_us(world):
    source = world.redis("source", *BACKLOG, "--shutdown-timeout", str(PATIENCE))
    repo, _ = protect(world, source)
    load = Workload(source, world.seed, rate=1500)
    time.sleep(2)
    client = source.client()
    witness = world.witness()
    started = time.monotonic()
    client.socket.sendall(client.encode("SHUTDOWN", "NOSAVE"))
    source.process.wait(2 * PATIENCE)
    took = time.monotonic() - started
    load.stop()
    assert took < min(PATIENCE, witness.limit(2)), took
    log = (source.folder / "redis.log").read_text()
    assert "0 of 1 replicas are in sync" not in log, log[-1500:]


def test_an_endless_full_sync_loop_is_recognised_and_backed_off(world):
    source = world.redis("source", "--repl-backlog-size", "16kb", "--client-output-buffer-limit", "replica 64kb 32kb 1")
    client = source.client()
    client.pipeline([("SET", f"big:{i}", random.Random(i).randbytes(20000)) for i in range(400)])
    link = world.proxy(source.port, rate=1_500_000)
    repo = world.init(world.folder / "repo")
    capture = world.capture(repo, link)
    load = Workload(source, world.seed, rate=3000, point_every=0)
    began = time.monotonic()

    def recognised():
        log = (world.folder / "capture.log").read_text()
        return full_syncs(source) >= 2 and "client-output-buffer-limit" in log
    time.sleep(40)
    world.wait_for("the loop is recognised", recognised)
    syncs = full_syncs(source)
    took = time.monotonic() - began
    load.stop()
    log = (world.folder / "capture.log").read_text()
    assert syncs <= 4 * took / 40 and capture.poll() is None, (syncs, took, log)
