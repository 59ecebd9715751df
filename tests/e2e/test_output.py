"""What the program prints: told where it cannot be written, and never steering the terminal."""
import os
import signal
import subprocess

from harness import PATIENCE


def protected(world):
    source = world.redis("source")
    source.client()("SET", "bull:greetings:1", "x")
    repo = world.init(world.folder / "repo")
    capture = world.capture(repo, source)
    world.wait_for("a source", lambda: world.status(repo))
    world.wait_protected(repo, int(source.client().info()["master_repl_offset"]))
    capture.send_signal(signal.SIGTERM)
    assert capture.wait(PATIENCE) == 0, world.logs()
    return source, repo


def printed_to(world, output, *args):
    return subprocess.run([world.anclora, *map(str, args)], stdout=output, stderr=subprocess.PIPE, text=True,
                          env=world.environment, stdin=subprocess.DEVNULL, timeout=600)


def test_what_cannot_be_printed_ends_no_command_with_0(world):
    source, repo = protected(world)
    plan = os.path.join(os.path.dirname(__file__), "..", "..", "plans", "local.yaml")
    world.run("restore", "--repo", repo, "--to", f"rdb:{world.folder}/dump.rdb")
    commands = [["--help"], ["--version"], ["capture", "--help"], ["doctor", source.url], ["key", "list", "--repo", repo]]
    commands += [[name, "--repo", repo] for name in ("status", "history", "verify", "expire")]
    commands += [["tag", "kept", "--at", "latest", "--repo", repo], ["tag", "--list", "--repo", repo], ["plan", "check", plan],
                 ["find", "--dangerous", "--repo", repo], ["find", "--key", "bull:*", "--repo", repo],
                 ["restore", "--dry-run", "--to", source.url, "--replace", "--repo", repo],
                 ["mirror", "--to", world.folder / "copy", "--repo", repo], ["plan", "show", plan], ["plan", "schema"],
                 ["rdb", "check", world.folder / "dump.rdb"], ["drill", "list"], ["incident", "list"], ["run", "clean"]]
    with open("/dev/full", "w") as full:
        for args in commands:
            for more in ([], ["--json"]):
                told = printed_to(world, full, *args, *more)
                assert told.returncode != 0, (args, more, told)
                assert told.stderr.count("standard output cannot be written: No space left on device") == 1, (args, told)
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as nobody_reads:
        told = printed_to(world, nobody_reads, "history", "--repo", repo)
    assert told.returncode == 14 and "Broken pipe" in told.stderr, told
    closed = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", world.anclora, "history", "--repo", repo], text=True,
                            stderr=subprocess.PIPE, env=world.environment, timeout=600)
    assert closed.returncode == 14 and "standard output cannot be written" in closed.stderr, closed


def test_text_from_elsewhere_prints_no_control_bytes(world):
    source, repo = protected(world)
    note = "all\x1b[2J is\rwell\nno tag  1/7"
    world.run("tag", "kept", "--at", "latest", "--note", note, "--repo", repo)
    listed = world.run("tag", "--list", "--repo", repo).out
    assert r"all\x1b[2J is\x0dwell\x0ano tag" in listed and listed.count("\n") == 1 and "\x1b" not in listed, listed
    assert world.run("tag", "--list", "--repo", repo, "--json").json()["tags"][0]["note"] == note
    wrong = world.run("restore", "--at", "tag:\x1b]0;x\x07", "--to", f"rdb:{world.folder}/\x1b[1m.rdb", "--repo", repo, check=False)
    assert wrong.code != 0 and "\x1b" not in wrong.err + wrong.out and "\x07" not in wrong.err + wrong.out, wrong
    there = world.run("rdb", "check", f"{world.folder}/\x1b[1m.rdb", check=False)
    assert there.code == 3 and r"/\x1b[1m.rdb" in there.err and "\x1b" not in there.err, there


def test_a_printed_restore_command_runs_in_another_shell(world):
    source = world.redis("source")
    repo = world.init(world.folder / "a repo")
    world.capture(repo, source)
    world.wait_protected(repo, 0)
    client = source.client()
    client("SET", "a", 1)
    before = source.digest()
    client("FLUSHALL")
    end = int(client.info()["master_repl_offset"])
    world.wait_protected(repo, end)
    passphrase = world.folder / "the passphrase"
    passphrase.write_bytes(world.passphrase.read_bytes())
    passphrase.chmod(0o600)
    opened = ("--repo", repo, "--passphrase-file", passphrase)
    other_shell = {name: value for name, value in os.environ.items() if not name.startswith("ANCLORA_")}
    other_shell["ANCLORA_STATE_DIR"] = str(world.folder / "state")
    target = world.redis("target")

    def pasted(command):
        words = command.replace("anclora", str(world.anclora), 1).replace("TARGET", target.url)
        return subprocess.run(words + " --replace", shell=True, cwd="/", env=other_shell, capture_output=True, text=True,
                              timeout=PATIENCE, check=False)

    flushed = world.run("find", "--command", "flushall", *opened, "--json").json()["found"][0]
    assert (ended := pasted(flushed["restore"])).returncode == 0, (flushed, ended)
    assert target.digest() == before
    tagged = world.run("tag", "emptied", "--at", "latest", *opened).out
    assert (ended := pasted(tagged.split("restore it with: ")[1].strip())).returncode == 0, (tagged, ended)
    assert target.client()("DBSIZE") == 0
    # What was replaced, by the command that says how to have it back.
    replaced = world.run("restore", *opened, "--at", flushed["at"], "--to", target.url, "--json").json()
    assert replaced["safety_command"] is None and target.digest() == before, replaced
    replaced = world.run("restore", *opened, "--to", target.url, "--replace", "--json").json()
    assert (ended := pasted(replaced["safety_command"].replace(" --replace", ""))).returncode == 0, (replaced, ended)
    assert target.digest() == before
    # In the hint of a refusal, too; and nothing that the environment says already.
    refused = world.run("restore", *opened, "--at", f"offset:1/{end - 1}", "--to", target.url, check=False)
    assert refused.code != 0 and f"--passphrase-file '{passphrase}' --at offset:" in refused.err, refused
    told = world.run("find", "--command", "flushall", env={"ANCLORA_REPO": str(repo)}).out
    assert "anclora restore --at before:" in told, told
