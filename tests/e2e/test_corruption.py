"""Every kind of object damaged in every way: verify names it, a restore never returns wrong data, and what does not need it
still works."""
import json
import pathlib
import random
import re
import shutil
import time

from harness import PATIENCE
from workload import Workload, take_point

# Kind → which names are of it. The middle of each list is damaged, so that others stand before and after it.
KINDS = {
    "log": r"sources/default/\d+/log/",
    "newest log entry": r"sources/default/\d+/log/",
    "pack": r"sources/default/\d+/pack/",
    "first base": r"sources/default/\d+/base/",
    "second base": r"sources/default/\d+/base/",
    "side": r"sources/default/\d+/side/",
    "checkpoint": r"sources/default/(\d+/)?checkpoint/",
    "pin": r"sources/default/(\d+/)?pin/",
    "record": r"records/",
    "key slot": r"keys/",
    "config": r"config$",
}
# Without these nothing can be restored: they say where everything is, or open it.
NEEDED_BY_ALL = {"config", "key slot", "first base"}
# Their loss cannot be seen from what is left, and takes no point away.
LOSS_IS_SILENT = {"pin", "record", "side", "newest log entry", "key slot"}


class Damaged:
    """A repository with at least two of each kind, and points that need few or all of its objects."""

    def __init__(self, world):
        self.world = world
        self.repo = world.init(world.folder / "repo")
        source = world.redis("source", "--repl-backlog-size", "64mb")
        capture = world.capture(self.repo, source, "--pack-age", "1s")
        load = Workload(source, world.seed, rate=400)
        world.wait_for("points", lambda: len(load.points) > 2)
        load.pause()
        client = source.client()
        self.early = take_point(client)
        world.wait_protected(self.repo, self.early.offset)
        load.resume()
        time.sleep(2.5)
        world.wait_for("a pack", lambda: self.packs() > 0)
        load.pause()
        world.wait_protected(self.repo, take_point(client).offset)
        world.run("tag", "first", "--repo", self.repo)
        world.run("verify", "--restore", "--publish-base", "--repo", self.repo)
        load.resume()
        time.sleep(2.5)
        packs = self.packs()
        world.wait_for("another pack", lambda: self.packs() > packs)
        world.run("tag", "second", "--repo", self.repo)
        load.stop()
        self.latest = take_point(client)
        world.wait_protected(self.repo, self.latest.offset)
        capture.terminate()
        assert capture.wait(PATIENCE) == 0
        world.run("verify", "--repo", self.repo)
        source.kill()
        self.folder = world.folder / "repo"
        self.names = sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())
        self.target = world.redis("target")

    def packs(self):
        return len(list(pathlib.Path(self.repo).glob("sources/default/*/pack/*")))

    def of_kind(self, kind):
        names = [name for name in self.names if re.match(KINDS[kind], name)]
        assert names, (kind, self.names)
        if kind in ("first base", "second base"):
            bases = sorted({name.rsplit("/", 1)[0] for name in names}, key=lambda name: int(re.search(r"base/(\d+)", name)[1]))
            assert len(bases) == 2, bases
            return [name for name in names if name.startswith(bases[0 if kind == "first base" else 1] + "/")]
        return names

    def damage(self, kind, how, seed):
        """Damages one object (two when swapped) in a copy of the repository; returns (copy, their names)."""
        pick = random.Random(seed)
        copy = self.world.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.folder, copy)
        names, swapped = self.of_kind(kind), []
        name = names[-1] if kind == "newest log entry" else names[len(names) * 2 // 3]
        path = copy / name
        path.chmod(0o644)
        data = bytearray(path.read_bytes())
        if how == "flip":
            data[pick.randrange(len(data))] ^= 1 << pick.randrange(8)
            path.write_bytes(data)
        elif how == "truncate":
            path.write_bytes(data[:pick.randrange(len(data))])
        elif how == "extend":
            path.write_bytes(data + b"x")
        elif how == "delete":
            path.unlink()
        elif how == "swap":
            others = [other for other in names if other != name and (self.folder / other).read_bytes() != bytes(data)]
            if not others:
                return None, []
            swapped.append(pick.choice([other for other in others if other > name] or others))  # the early point needs neither
            other = copy / swapped[0]
            other.chmod(0o644)
            path.write_bytes(other.read_bytes())
            other.write_bytes(data)
        return copy, [name, *swapped]

    def restore(self, copy, at):
        """The digest, or None when it was refused as it should be."""
        client = self.target.client()
        client.pipeline([("REPLICAOF", "NO", "ONE"), ("FLUSHALL",)])
        client.close()
        outcome = self.world.run("restore", "--repo", copy, "--at", at, "--to", self.target.url, check=False)
        if outcome.code == 0:
            return self.target.digest()
        assert outcome.code in (3, 5, 7, 12, 13) and "hint:" in outcome.err, outcome
        assert outcome.code != 5 or kind_is_gone(outcome), outcome
        return None

    def try_out(self, kind, how):
        copy, names = self.damage(kind, how, f"{self.world.seed} {kind} {how}")
        if copy is None or (kind, how) == ("key slot", "swap"):  # their names mean nothing
            return
        case = f"{kind}, {how}: {names}"
        report = self.world.run("verify", "--repo", copy, "--json", check=False)
        # An entry that a pack holds too may go: expire takes such entries away.
        packed = kind == "log" and how == "delete" and report.code == 0
        if not packed and not (how == "delete" and kind in LOSS_IS_SILENT):
            assert report.code in {"config": (3, 7, 12, 13), "key slot": (3, 7, 12)}.get(kind, (12,)), (case, report)
            assert any(name in report.out + report.err for name in names), (case, report)
        for at, point in ((f"offset:1/{self.early.offset}", self.early), (f"offset:1/{self.latest.offset}", self.latest)):
            digest = self.restore(copy, at)
            assert digest in (None, point.digest), f"{case}: wrong data at {at}"
            assert digest or not packed, f"{case}: missed by nobody but {at}"
            if point is self.early and kind not in NEEDED_BY_ALL:
                assert digest is not None, f"{case}: {at} does not need it"
        if kind == "newest log entry" and how != "delete":
            assert self.restore(copy, "latest") is None, f"{case}: latest is not what was protected"
            self.told_and_shown(copy, names[0], case)

        if kind == "pack" and how in ("truncate", "delete"):  # its index stands at its end
            outcome = self.world.run("find", "--dangerous", "--repo", copy, check=False)
            assert outcome.code == 12 and names[0] in outcome.err and "found" in outcome.out, (case, outcome)

    def told_and_shown(self, copy, name, case):
        """status and find name what is damaged, end with 12, and show the rest."""
        outcome = self.world.run("status", "--repo", copy, "--json", check=False)
        status = json.loads(outcome.out)["sources"][0]
        assert outcome.code == 12 and status["damaged"][0]["object"] == name and status["windows"], (case, outcome)
        assert name in status["first_thing_to_mend"], (case, outcome)
        outcome = self.world.run("find", "--dangerous", "--repo", copy, check=False)
        assert outcome.code == 12 and name in outcome.err and "found" in outcome.out, (case, outcome)


def kind_is_gone(outcome):
    return "beyond what is protected" in outcome.err or "no complete base" in outcome.err


def try_all(world, how):
    damaged = Damaged(world)
    for kind in KINDS:
        damaged.try_out(kind, how)


def test_a_flipped_bit_is_found_by_name_and_never_restored(world):
    try_all(world, "flip")


def test_a_truncated_object_is_found_by_name_and_never_restored(world):
    try_all(world, "truncate")


def test_a_deleted_object_is_missed_by_name_and_never_papered_over(world):
    try_all(world, "delete")


def test_two_swapped_objects_are_found_by_name_and_never_restored(world):
    try_all(world, "swap")


def test_an_object_with_something_behind_it_is_found_by_name(world):
    try_all(world, "extend")


def test_a_deleted_base_is_damage_for_every_target(world):
    repo = world.init(world.folder / "repo")
    source = world.redis("source")
    client = source.client()
    client("SET", "k", "v")
    capture = world.capture(repo, source)
    world.wait_for("a first base", lambda: (status := world.status(repo)) and status["windows"])
    client("SET", "k", "w")
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    capture.terminate()
    assert capture.wait(PATIENCE) == 0, world.logs()
    bases = sorted((world.folder / "repo").glob("sources/default/*/base/*/*"))
    assert len(bases) == 2, bases
    target = world.redis("target")
    for path in bases:
        kept = path.read_bytes()
        path.unlink()
        name = str(path.relative_to(world.folder / "repo"))
        for to in (target.url, f"dir:{world.folder / 'dir'}", f"rdb:{world.folder / 'file.rdb'}"):
            outcome = world.run("restore", "--repo", repo, "--to", to, check=False)
            assert outcome.code == 12 and name in outcome.err and "anclora verify" in outcome.err, (to, outcome)
        path.write_bytes(kept)
    world.run("restore", "--repo", repo, "--to", target.url)
    assert target.digest() == source.digest()


def test_newest_entries_that_only_capture_or_a_mirror_saw_are_missed(world):
    repo = world.init(world.folder / "repo")
    source = world.redis("source")
    client = source.client()
    capture = world.capture(repo, source)
    world.wait_for("a first base", lambda: (status := world.status(repo)) and status["windows"])
    client("SET", "k", "v")
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    capture.terminate()
    assert capture.wait(PATIENCE) == 0, world.logs()
    world.run("mirror", "--repo", repo, "--to", world.folder / "mirror")
    newest = sorted((world.folder / "repo").glob("sources/default/*/log/*"))[-1]
    kept, name = newest.read_bytes(), str(newest.relative_to(world.folder / "repo"))
    newest.unlink()
    outcome = world.run("verify", "--repo", repo, check=False)
    assert outcome.code == 12 and f"BAD {name}: the newest 1 log entries" in outcome.out, outcome
    assert "capture's state in" in outcome.out and "the mirror " in outcome.out, outcome
    newest.write_bytes(kept)
    world.run("verify", "--repo", repo)
    for place in ("repo", "mirror"):
        shutil.rmtree(world.folder / place)
    world.init(world.folder / "repo")  # another repository, of which nobody on this machine knows anything
    world.run("verify", "--repo", repo)
