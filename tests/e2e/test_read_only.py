"""A repository on a read-only file system: everything that reads works, everything that writes says why not."""
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
    for words in (("status",), ("history",), ("find", "--command", "set"), ("tag", "--list"), ("key", "list"), ("verify", "--restore"),
                  ("mirror", "--to", world.folder / "mirror"), ("restore", "--to", f"dir:{world.folder}/restored")):
        world.run(*words, "--repo", read_only)
    assert "not recorded" in world.run("verify", "--repo", read_only).err
    world.run("verify", "--repo", world.folder / "mirror")
    assert world.restored_digest(read_only) == source.digest()
    for words in (("tag", "x", "--at", "latest"), ("key", "add", "--recovery"), ("expire",)):
        refused = world.run(*words, "--repo", read_only, check=False)
        assert refused.code == 6 and "Read-only file system" in refused.err, (words, refused)
