"""A restore is killed with -9 at every kind of moment: the next one, or --undo, leaves the target with the user's own settings."""
import random
import shutil
import time

from harness import PATIENCE, free_port
from workload import Workload

OWN = {"masterauth": "my own secret", "rdbcompression": "yes", "repl-diskless-load": "disabled",
       "replica-lazy-flush": "no"}


def captured(world, megabytes=12, stream_seconds=2):
    """A source with a base and a stream after it: (source, repository)."""
    source = world.redis("source", "--repl-backlog-size", "64mb")
    client = source.client()
    client.pipeline([("SET", f"big:{i}", random.Random(i).randbytes(20000)) for i in range(megabytes * 50)])
    repo = world.init(world.folder / "repo")
    world.capture(repo, source)
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    load = Workload(source, world.seed, rate=4000)
    time.sleep(stream_seconds)
    load.stop()
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    return source, repo


def own_target(world, name="target", *options):
    target = world.redis(name, *options)
    client = target.client()
    for setting, value in OWN.items():
        client("CONFIG", "SET", setting, value)
    return target


def settings(target):
    client = target.client()
    return {name: client("CONFIG", "GET", name)[1].decode() for name in OWN}


def through(world, **limits):
    port = free_port()
    link = world.proxy(port, **limits)
    return link, ("--listen", f"127.0.0.1:{port}", "--announce", f"127.0.0.1:{link.port}")


def kill_in_the_base(world, repo, target, *options):
    link, way = through(world)
    link.hold = lambda _: link.bytes_down >= 3_000_000  # the rest of the base does not come
    restore = world.spawn("restore", "--repo", repo, "--to", target.url, *way, *options, log="restore.log")
    world.wait_for("the base", lambda: link.bytes_down >= 3_000_000 or restore.poll() is not None, every=0.01)
    assert restore.poll() is None, world.logs()
    restore.kill()
    restore.wait()
    link.hold = None
    link.cut()


def kill_in_the_stream(world, repo, target, *options):
    plan = world.run("restore", "--repo", repo, "--to", f"rdb:{world.folder}/none", "--dry-run", "--json").json()
    half = plan["base"]["rdb_bytes"] + plan["stream"]["bytes"] // 2
    link, way = through(world, chunk=16384)
    carried = 0

    def watch(up, data):
        nonlocal carried
        carried += 0 if up else len(data)
        link.frozen = carried >= half  # the rest of the stream does not come
        return True

    link.watch = watch
    restore = world.spawn("restore", "--repo", repo, "--to", target.url, *way, *options, log="restore.log")
    control = target.client()
    world.wait_for("the stream", lambda: link.frozen and control.info().get("master_link_status") == "up", every=0.01)
    assert restore.poll() is None, world.logs()
    restore.kill()
    restore.wait()
    link.watch = None
    link.cut()


def kill_at_promotion(world, repo, target, after, *options):
    """By a proxy on the control connection that sees REPLICAOF NO ONE pass: before it is passed on, or once answered."""
    proxy = world.proxy(target.port)
    seen = []

    def watch(up, data):
        if up and b"REPLICAOF" in data and b"NO" in data and b"ONE" in data:
            seen.append(data)
            if not after:
                restore.kill()
                return False
        elif not up and seen:
            restore.kill()
            return False
        return True

    proxy.watch = watch
    restore = world.spawn("restore", "--repo", repo, "--to", proxy.url, *options, log="restore.log")
    assert restore.wait(PATIENCE) == -9, world.logs()
    assert len(seen) == 1
    proxy.watch = None


def left(world, target):
    """What the killed restore left: the end of loading is waited for by whoever mends it, not here."""
    client = target.client()
    info = client.info()
    return info["role"], info.get("master_link_status")


MOMENTS = {
    "in the base": kill_in_the_base,
    "in the stream": kill_in_the_stream,
    "before the promotion": lambda world, repo, target, *options: kill_at_promotion(world, repo, target, False, *options),
    "after the promotion": lambda world, repo, target, *options: kill_at_promotion(world, repo, target, True, *options),
}


def begin_again(world, moment):
    source, repo = captured(world)
    target = own_target(world)
    MOMENTS[moment](world, repo, target)
    role, link = left(world, target)
    promoted = moment == "after the promotion"
    assert role == ("master" if promoted else "slave"), (role, link)
    # Once promoted it may have been written to: then it is data like any other.
    options = ("--replace",) if promoted else ()
    again = world.run("restore", "--repo", repo, "--to", target.url, *options)
    assert "interrupted restore" in again.out + again.err, again
    assert target.digest() == source.digest()
    assert target.client().info()["role"] == "master"
    assert settings(target) == OWN
    # And nothing is left to be undone.
    assert world.run("restore", "--undo", "--to", target.url, check=False).code == 3


def test_a_restore_killed_in_the_base_starts_over(world):
    begin_again(world, "in the base")


def test_a_restore_killed_in_the_stream_starts_over(world):
    begin_again(world, "in the stream")


def test_a_restore_killed_before_the_promotion_starts_over(world):
    begin_again(world, "before the promotion")


def test_a_restore_killed_after_the_promotion_starts_over(world):
    begin_again(world, "after the promotion")


def test_every_leftover_can_be_undone_alone(world):
    source, repo = captured(world)
    for moment, kill in MOMENTS.items():
        target = own_target(world, "target " + moment)
        kill(world, repo, target)
        undone = world.run("restore", "--undo", "--to", target.url, "--json").json()
        assert undone["detached"] == (moment != "after the promotion"), (moment, undone)
        assert undone["settings"], (moment, undone)
        assert target.client().info()["role"] == "master", moment
        assert settings(target) == OWN, (moment, settings(target))
        second = world.run("restore", "--undo", "--to", target.url, check=False)
        assert second.code == 3 and "no interrupted restore" in second.err, second


def test_a_killed_replacement_names_its_undo_and_keeps_what_was_there(world):
    source, repo = captured(world)
    target = own_target(world)
    target.client()("SET", "precious", "data")
    kill_in_the_base(world, repo, target, "--replace")
    refused = world.run("restore", "--repo", repo, "--to", target.url, check=False)
    assert refused.code == 5 and f"anclora restore --undo --to {target.url}" in refused.err, refused
    assert "--replace" in refused.err
    dry = world.run("restore", "--repo", repo, "--to", target.url, "--dry-run", check=False)
    assert "interrupted restore" in dry.out, dry
    world.run("restore", "--undo", "--to", target.url)
    assert target.client()("GET", "precious") == b"data" and settings(target) == OWN
    kill_in_the_base(world, repo, target, "--replace")
    world.run("restore", "--repo", repo, "--to", target.url, "--replace")
    assert target.digest() == source.digest() and settings(target) == OWN


def test_two_restores_into_one_target_do_not_take_each_other_for_dead(world):
    source, repo = captured(world)
    # While it loads it answers now and then only: each 2 MB, if it is not told otherwise.
    target = own_target(world, "target", "--loading-process-events-interval-bytes", "2048")
    link, way = through(world, chunk=1024)

    def trickle(up, data):  # minutes for the rest
        link.rate = link.rate or (50_000 if link.bytes_down >= 2_000_000 else None)
        return True
    link.watch = trickle
    first = world.spawn("restore", "--repo", repo, "--to", target.url, *way, log="restore.log")
    world.wait_for("the base", lambda: link.bytes_down >= 2_000_000)
    second = world.run("restore", "--repo", repo, "--to", target.url, check=False)
    assert second.code == 5 and "is running" in second.err, second
    undo = world.run("restore", "--undo", "--to", target.url, check=False)
    assert undo.code == 5 and "is running" in undo.err, undo
    link.watch, link.rate, link.chunk = None, None, 65536
    assert first.wait(PATIENCE) == 0, world.logs()
    assert target.digest() == source.digest() and settings(target) == OWN


def test_a_server_that_was_started_again_keeps_its_settings(world):
    source, repo = captured(world)
    target = own_target(world)
    kill_in_the_base(world, repo, target)
    target.kill()
    target.start()
    target.client()("CONFIG", "SET", "rdbcompression", "no")  # its own now, though it is what we had set
    world.run("restore", "--repo", repo, "--to", target.url)
    assert settings(target)["rdbcompression"] == "no" and settings(target)["masterauth"] == ""
    assert target.digest() == source.digest()


def test_without_a_record_the_way_out_is_told(world):
    source, repo = captured(world, megabytes=6)
    target = own_target(world)
    kill_in_the_stream(world, repo, target)
    elsewhere = {"ANCLORA_STATE_DIR": str(world.folder / "another machine")}
    world.wait_for("loading", lambda: target.client().info().get("loading") == "0")
    refused = world.run("restore", "--repo", repo, "--to", target.url, check=False, env=elsewhere)
    assert refused.code == 5 and "restore --undo" in refused.err, refused
    undo = world.run("restore", "--undo", "--to", target.url, check=False, env=elsewhere)
    assert undo.code == 3 and "REPLICAOF NO ONE" in undo.err and "CONFIG SET masterauth" in undo.err, undo
    assert "replica-read-only" in undo.err, undo


def test_what_a_killed_restore_left_beside_its_target_is_removed_by_the_next(world):
    source, repo = captured(world, stream_seconds=1)
    for kind in ("dir", "rdb"):
        place = world.folder / f"place-{kind}"
        place.mkdir()

        def left():
            return [path for path in place.iterdir() if ".partial-" in path.name]
        for attempt in range(50):
            restore = world.spawn("restore", "--repo", repo, "--to", f"{kind}:{place / 'data'}", log="restore.log")
            world.wait_for("a beginning", lambda: left() or restore.poll() is not None, every=0.001)
            restore.kill()
            restore.wait()
            if left():
                break
            for path in place.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        assert left(), kind
        outcome = world.run("restore", "--repo", repo, "--to", f"{kind}:{place / 'data'}")
        assert not left() and [path.name for path in place.iterdir()] == ["data"], list(place.iterdir())
        assert "note: removed" in outcome.err, outcome
    server = world.redis("from-dir", "--appendonly", "yes", "--dir", str(world.folder / "place-dir" / "data"))
    world.wait_for("loading", lambda: server.client().info()["loading"] == "0")
    assert server.digest() == source.digest()
