"""Later bases from the source itself (--base-from source): at an exact offset, beside a stream that goes on undisturbed."""
import signal
import time

from harness import PATIENCE
from test_tls import Authority, tls_server
from workload import Workload, take_point

BACKLOG = ("--repl-backlog-size", "64mb")


def bases(world, repo):
    """Every base that counts, oldest first."""
    history = world.run("history", "--repo", repo, "--json").json()
    return [base for source in history["sources"] for timeline in source["timelines"] for base in timeline["bases"]]


def later_base(world, repo, count=2, timeout=PATIENCE):
    return world.wait_for("a later base", lambda: (lambda all: len(all) >= count and all[-1])(bases(world, repo)),
                          timeout=timeout, every=0.5)


def number(server, name):
    client = server.client()
    try:
        return int(client.info()[name])
    finally:
        client.close()


def held(one, proxy, after):
    """Of a link beside the stream's (which has carried a whole base): no more than so much of its base comes."""
    return one.carried > after and any(other is not one and other.carried > 5_000_000 for other in set(proxy.links))


def under_load(world, *options):
    source = world.redis("source", *BACKLOG, *options)
    repo = world.init(world.folder / "repo")
    capture = world.capture(repo, source, "--base-from", "source", "--base-every", "2s")
    load = Workload(source, world.seed, rate=2500, big=True)
    base = later_base(world, repo)
    mark = len(load.points)
    world.wait_for("points behind it", lambda: len(load.points) >= mark + 4)
    load.stop()
    client = source.client()
    end = take_point(client)
    status = world.wait_protected(repo, end.offset)
    assert capture.poll() is None and status["gaps"] == [] and len(status["windows"]) == 1, status
    assert base["origin"] == "source" and base["timeline"] == 1, base
    # The link of the stream was never touched, and the other one is gone.
    def at_rest():
        info = client.info()  # another base may be in the making, each on a link of its own
        return info["connected_slaves"] == "1" and int(info["sync_full"]) == len(bases(world, repo)) and info
    assert world.wait_for("no link but the stream's", at_rest)["sync_partial_ok"] == "0"
    target = world.redis("target")
    for point in (next(p for p in load.points if p.offset > base["offset"]), load.points[-1], end):
        plan = world.run("restore", "--repo", repo, "--at", f"offset:1/{point.offset}", "--to", f"dir:{world.folder}/none",
                         "--dry-run", "--json").json()
        assert plan["base"]["offset"] >= base["offset"], plan
        assert world.restored_digest(repo, f"offset:1/{point.offset}", target) == point.digest, point
    capture.terminate()
    assert capture.wait(PATIENCE) == 0, world.logs()
    assert not list((world.folder / "state").rglob("later-base"))
    world.run("verify", "--repo", repo, "--read-data", "100%")
    return repo, source, end


def test_the_source_makes_a_base_at_an_exact_offset_under_load(world):
    under_load(world, "--repl-diskless-sync", "yes")


def test_the_source_makes_a_base_by_way_of_its_disk(world):
    under_load(world, "--repl-diskless-sync", "no")


def test_a_base_cut_in_the_middle_leaves_the_stream_alone_and_is_asked_for_again(world):
    source = world.redis("source", *BACKLOG, "--rdbcompression", "no")
    client = source.client()
    client.pipeline([("SET", f"big:{i}", b"%d" % i * 5000) for i in range(500)])
    link = world.proxy(source.port)
    link.hold = lambda one: held(one, link, 2_000_000)
    repo = world.init(world.folder / "repo")
    capture = world.capture(repo, link, "--base-from", "source", "--base-every", "2s")
    client("SET", "first", 1)
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    load = Workload(source, world.seed, rate=800)
    first = world.wait_for("the stream's link", lambda: next((l for l in set(link.links) if l.carried > 5_000_000), None))
    other = world.wait_for("a second link in the middle of its base",
                           lambda: next((l for l in set(link.links) if l is not first and l.carried > 2_000_000), None))
    other.cut()
    assert len(bases(world, repo)) == 1
    time.sleep(2)
    link.hold = None
    assert first in link.links and capture.poll() is None
    later_base(world, repo)
    load.stop()
    end = take_point(client)
    status = world.wait_protected(repo, end.offset)
    assert status["gaps"] == [] and first in link.links, status
    assert world.restored_digest(repo, f"offset:1/{end.offset}") == end.digest
    world.run("verify", "--repo", repo, "--read-data", "100%")


def test_a_base_in_the_making_does_not_keep_capture_from_its_end(world):
    source = world.redis("source", *BACKLOG, "--rdbcompression", "no")
    client = source.client()
    client.pipeline([("SET", f"big:{i}", b"%d" % i * 5000) for i in range(500)])
    link = world.proxy(source.port)
    link.hold = lambda one: held(one, link, 300_000)
    repo = world.init(world.folder / "repo")
    capture = world.capture(repo, link, "--base-from", "source", "--base-every", "2s")
    client("SET", "first", 1)
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    client("SET", "second", 2)
    first = world.wait_for("the stream's link", lambda: next((l for l in set(link.links) if l.carried > 5_000_000), None))
    world.wait_for("a second link in the middle of its base",
                   lambda: any(l is not first and l.carried > 300_000 for l in set(link.links)))
    # Nobody's WAIT is satisfied by it: the one that acknowledges is the stream's.
    client("SET", "third", 3)
    assert client("WAIT", 1, 1000 * PATIENCE // 2) == 1 and client("WAIT", 2, 500) == 1
    witness, started = world.witness(), time.monotonic()
    capture.send_signal(signal.SIGTERM)
    assert capture.wait(PATIENCE) == 0, world.logs()
    assert time.monotonic() - started < witness.limit(10)
    world.wait_protected(repo, int(client.info()["master_repl_offset"]) - 100)
    assert len(bases(world, repo)) == 1
    assert world.restored_digest(repo) == source.digest()


def test_the_source_makes_a_base_over_tls_for_a_user_with_few_rights(world):
    authority = Authority(world.folder / "ca")
    source = tls_server(world, authority, "source", authority.sign("source", "IP:127.0.0.1"), *BACKLOG)
    client = source.client()
    client("ACL", "SETUSER", "anclora", "on", ">secret", "resetkeys", "resetchannels", "-@all", "+ping", "+psync", "+replconf")
    repo = world.init(world.folder / "repo")
    world.spawn("capture", "--source", f"rediss://anclora@127.0.0.1:{source.tls_port}", "--source-tls-ca-file",
                authority.file, "--repo", repo, "--base-from", "source", "--base-every", "2s", log="capture.log",
                env={"ANCLORA_REDIS_PASSWORD": "secret"})
    load = Workload(source, world.seed, rate=500)
    later_base(world, repo)
    load.stop()
    end = take_point(client)
    world.wait_protected(repo, end.offset)
    assert world.restored_digest(repo, f"offset:1/{end.offset}") == end.digest
