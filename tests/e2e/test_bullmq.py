"""A queue of the real BullMQ, at the speed that it has on this machine: what it does is no accident, and an accident shows."""
import json
import pathlib
import subprocess

from harness import PATIENCE

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVICE = ROOT / "examples" / "whatsapp-service"


def bullmq(server, *words):
    script = pathlib.Path(__file__).with_name("bullmq_jobs.cjs")
    done = subprocess.run(["node", str(script), str(server.port), *map(str, words)], capture_output=True, text=True,
                          timeout=4 * PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_busy_queue_is_no_mass_deletion_and_an_obliterated_one_comes_back(world):
    subprocess.run([str(ROOT / "scripts" / "install-node-packages"), str(SERVICE)], check=True)
    source = world.redis("source")
    repo = world.init(world.folder / "repo")
    world.capture(repo, source)
    client = source.client()

    def dangers():
        world.wait_protected(repo, int(client.info()["master_repl_offset"]))
        return world.run("find", "--dangerous", "--repo", repo, "--json").json()["found"]

    worked = bullmq(source, "work", 12000)  # more locks come and go than there are prefixes to be told apart
    assert worked["wait"] == 0, worked
    assert dangers() == [], dangers()

    assert bullmq(source, "add", 3000)["wait"] == 3000
    jobs = set(client("KEYS", "bull:messages:[0-9]*"))
    assert bullmq(source, "obliterate")["wait"] == 0
    found = dangers()
    assert [entry["kind"] for entry in found] == ["mass-deletion"], found
    assert "bull:messages:" in found[0]["command"], found
    target = world.redis("target")
    world.run("restore", "--repo", repo, "--at", found[0]["at"], "--to", target.url)
    # It pauses the queue first, which renames its list.
    lists = [target.client()("LLEN", f"bull:messages:{name}") for name in ("wait", "paused")]
    assert sum(lists) == 3000, lists
    assert set(target.client()("KEYS", "bull:messages:[0-9]*")) == jobs
