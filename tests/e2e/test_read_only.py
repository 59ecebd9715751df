"""A repository on a read-only or full file system: everything that reads works, everything that writes says why not."""
import contextlib
import os
import shutil

from harness import PATIENCE


def test_a_read_only_repository_is_read_verified_and_mirrored(world):
    source = world.redis("source")
    repo = world.init(world.folder / "written")
    capture = world.capture(repo, source)
    source.client()("SET", "a", 1)
    world.wait_protected(repo, int(source.client().info()["master_repl_offset"]))
    capture.terminate()
    assert capture.wait(PATIENCE) == 0
    disk = world.tmpfs("disk", "64m")
    read_only = disk.path / "repo"
    shutil.copytree(repo, read_only)
    disk.read_only()
    for words in (("status",), ("history",), ("find", "--command", "set"), ("tag", "--list"), ("key", "list"), ("verify", "--restore"), ("expire", "--dry-run"),
                  ("mirror", "--to", world.folder / "mirror"), ("restore", "--to", f"dir:{world.folder}/restored")):
        world.run(*words, "--repo", read_only)
    assert "not recorded" in world.run("verify", "--repo", read_only).err
    world.run("verify", "--repo", world.folder / "mirror")
    assert world.restored_digest(read_only) == source.digest()
    for words in (("tag", "x", "--at", "latest"), ("key", "add", "--recovery"), ("expire",)):
        refused = world.run(*words, "--repo", read_only, check=False)
        assert refused.code == 6 and "Read-only file system" in refused.err, (words, refused)


def test_a_repository_on_a_full_disk_is_verified(world):
    disk = world.tmpfs("disk", "8m")
    source, repo = world.redis("source"), world.init(disk.path / "repo")
    capture = world.capture(repo, source)
    world.wait_protected(repo, 0)
    capture.terminate()
    capture.wait(PATIENCE)
    filler = os.open(disk.path / "filler", os.O_CREAT | os.O_WRONLY)
    with contextlib.suppress(OSError):
        while True:
            os.write(filler, b"x" * 4096)
    os.close(filler)
    verified = world.run("verify", "--repo", repo)
    assert "everything that was read is whole" in verified.out, verified
    assert "not recorded" in verified.err and "No space left" in verified.err, verified
