"""A mirror: how far it is behind is told on both sides, damage in it is noticed, a promotion ends it."""
import time

from harness import PATIENCE, Load


def protected(world):
    source = world.redis("source")
    client = source.client()
    client.pipeline([("SET", f"key:{i}", f"value {i}") for i in range(1000)])
    repo = world.init(world.folder / "repo")
    capture = world.capture(repo, source)
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    return source, capture, repo, world.folder / "mirror"


def lag(world, repo):
    mirrors = world.run("status", "--repo", repo, "--json").json()["mirrors"]
    assert len(mirrors) == 1, mirrors
    return mirrors[0], mirrors[0]["sources"][0]


def test_status_of_both_sides_tells_how_far_the_mirror_is_behind(world):
    began = time.monotonic()
    source, capture, repo, mirror = protected(world)
    assert world.run("status", "--repo", repo, "--json").json()["mirrors"] == []
    world.run("mirror", "--repo", repo, "--to", mirror)
    for _ in range(5):
        client = source.client()
        client("SET", "more", time.time())
        world.wait_protected(repo, int(client.info()["master_repl_offset"]))  # each in an entry of its own
    about, behind = lag(world, repo)
    assert about["from"] == repo and about["to"] == str(mirror), about
    assert behind["name"] == "default" and behind["entries_behind"] >= 3, behind
    assert 0 < behind["seconds_behind"] < time.monotonic() - began, behind
    assert "behind by" in world.run("status", "--repo", repo).out
    about, seen = lag(world, mirror)
    assert seen["entries_behind"] is None and 0 < seen["seconds_behind"] < time.monotonic() - began, seen
    capture.terminate()
    capture.wait(PATIENCE)
    world.run("mirror", "--repo", repo, "--to", mirror)
    _, behind = lag(world, repo)
    assert behind["entries_behind"] == 0 and behind["seconds_behind"] == 0, behind


def test_other_bytes_of_the_same_size_are_noticed_with_checksum(world):
    source, capture, repo, mirror = protected(world)
    capture.terminate()
    capture.wait(PATIENCE)
    world.run("mirror", "--repo", repo, "--to", mirror)
    whole = world.run("mirror", "--repo", repo, "--to", mirror, "--checksum", "--json").json()
    assert whole["objects_compared"] == whole["objects_present"] > 0, whole
    entry = next((mirror / "sources").rglob("log/*"))
    damaged = bytearray(entry.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    entry.chmod(0o600)
    entry.write_bytes(damaged)
    world.run("mirror", "--repo", repo, "--to", mirror)
    noticed = world.run("mirror", "--repo", repo, "--to", mirror, "--checksum", check=False)
    assert noticed.code == 12 and entry.name in noticed.err and "anclora verify" in noticed.err, noticed
    assert entry.read_bytes() == bytes(damaged)


def test_a_mirror_that_is_promoted_is_followed_no_more(world):
    source, _, repo, mirror = protected(world)
    load = Load(source, rate=500)
    follow = world.spawn("mirror", "--repo", repo, "--to", mirror, "--follow", "--interval", "100ms", log="mirror.log")
    world.wait_for("a copy", lambda: (mirror / "config").exists())
    world.run("mirror", "--promote", "--to", mirror)
    assert follow.wait(PATIENCE) == 5, world.logs()
    load.stop()
    assert "was promoted" in (world.folder / "mirror.log").read_text()


def test_what_a_replace_overwrote_comes_back_from_the_mirror_too(world):
    _, _, repo, mirror = protected(world)
    target = world.redis("target")
    target.client()("SET", "overwritten", "by mistake")
    digest = target.digest()
    replaced = world.run("restore", "--repo", repo, "--to", target.url, "--replace", "--json").json()
    assert target.digest() != digest
    world.run("mirror", "--repo", repo, "--to", mirror)
    world.run("restore", "--repo", mirror, "--name", replaced["safety_source"], "--to", target.url, "--replace")
    assert target.digest() == digest


def test_a_mirror_gets_no_base_of_its_own_at_the_place_of_its_sources_next_checkpoint(world):
    source, _, repo, mirror = protected(world)
    client = source.client()
    client("SET", "behind", "the base")
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    world.run("mirror", "--repo", repo, "--to", mirror)
    refused = world.run("verify", "--restore", "--publish-base", "--repo", mirror, check=False)
    assert refused.code == 5 and "is a mirror" in refused.err and "--promote" in refused.err, refused
    world.run("verify", "--restore", "--repo", mirror)
    other = world.folder / "ends-at-once"
    other.write_text('#!/bin/sh\n[ "$1" = --version ] && exec redis-server --version\nexit 1\n')
    other.chmod(0o755)
    unproved = world.run("verify", "--restore", "--redis-server", other, "--repo", mirror, check=False)
    assert unproved.code == 5 and "is whole" in unproved.out and "not recorded" in unproved.err, unproved
    world.run("verify", "--restore", "--publish-base", "--repo", repo)  # the source's next checkpoint
    world.run("mirror", "--repo", repo, "--to", mirror)
    world.run("verify", "--repo", mirror)
    assert world.restored_digest(mirror) == source.digest()


def test_a_tag_is_given_in_the_source_of_a_mirror_and_copied(world):
    _, _, repo, mirror = protected(world)
    world.run("mirror", "--repo", repo, "--to", mirror)
    # One of its own would keep nothing there, and end every later pass once its source has the same name.
    refused = world.run("tag", "here", "--at", "latest", "--repo", mirror, check=False)
    assert refused.code == 5 and "is a mirror" in refused.err and "the tag is copied" in refused.err, refused
    world.run("tag", "here", "--at", "latest", "--repo", repo)
    world.run("mirror", "--repo", repo, "--to", mirror)
    tags = world.run("tag", "--list", "--repo", mirror, "--json").json()["tags"]
    assert [tag["name"] for tag in tags] == ["here"], tags
    # What goes there is what its source lets go: no plan of retention is told that nobody carries out.
    policy = ["--keep-every-moment", "0s", "--keep-hourly", "0s", "--keep-daily", "0s", "--keep-weekly", "0s"]
    told = world.run("expire", "--repo", mirror, *policy).out
    assert "this is a mirror" in told and "make" not in told and "retire" not in told, told
    planned = world.run("expire", "--repo", mirror, "--dry-run", "--json", *policy).json()["sources"][0]
    assert planned["kept_points"] == [] and planned["bases_to_make"] == 0, planned
    world.run("mirror", "--promote", "--to", mirror)
    world.run("tag", "its-own", "--at", "latest", "--repo", mirror)
