"""Command lines that cannot be meant: each is told clearly, with --json in JSON, with the right code, and changes nothing."""
import json
import os
import pathlib
import subprocess

LOCAL_PLAN = pathlib.Path(__file__).resolve().parents[2] / "plans" / "local.yaml"


def names(folder):
    return sorted(str(path) for path in folder.rglob("*"))


def test_wrong_words_are_told_and_change_nothing(world):
    repo = world.folder / "repo"
    world.init(repo)
    world.run("init", world.folder / "other")
    (world.folder / "plan.pdf").write_bytes(b"%PDF-1.7\0binary")
    before = names(world.folder)

    def refused(*args, code=2):
        told = world.run(*args, "--repo", repo, check=False)
        assert told.code == code, (args, told)
        in_json = world.run(*args, "--repo", repo, "--json", check=False).json()["error"]
        assert in_json["exit_code"] == code and in_json["message"] in told.err and in_json["hint"], (args, in_json, told)
        return told.err

    assert 'no command "frobnicate"' in refused("frobnicate")
    assert "anclora --help" in refused()
    assert "anclora restore --help" in refused("restore", "--frobnicate", "--to", "dir:x")
    assert "--to is required" in refused("restore")
    assert "anclora run resume --help" in refused("run", "resume", "--frobnicate")
    assert "anclora run --help" in refused("run")
    assert "extra" in refused("status", "extra")
    assert "--limit" in refused("find", "--dangerous", "--limit", "abc")
    assert "--limit" in refused("find", "--dangerous", "--limit", "-1")
    assert "--limit" in refused("find", "--dangerous", "--limit", "0")
    assert "5m ago" in refused("find", "--dangerous", "--since", "2h")
    assert "before --since" in refused("find", "--dangerous", "--since", "1h ago", "--until", "2h ago")
    assert "cannot name a source" in refused("expire", "--name", "../../etc")
    assert "--recovery" in refused("key", "add", "--recovery", "--new-passphrase-file", world.passphrase)
    assert "--new-passphrase-file" in refused("key", "add", code=5)
    capture = ("capture", "--source", "redis://127.0.0.1:1")
    assert "1MiB" in refused(*capture, "--outbox-limit", "0")
    for command, option in ((capture, "--seal-interval"), (capture, "--pack-age"), (capture, "--base-every"),
                            (capture, "--replay-limit"), (capture, "--drain-timeout"), (("expire",), "--keep-every-moment"),
                            (("expire",), "--keep-hourly"), (("expire",), "--keep-daily"), (("expire",), "--keep-weekly"),
                            (("expire",), "--grace"), (("expire",), "--grace-packed"),
                            (("bisect", "--check", "k* type=hash"), "--check-timeout"),
                            (("drill", "run", "restore"), "--rto"), (("drill", "run", "restore"), "--rpo"),
                            (("drill", "run", "redis-lost", "--plan", LOCAL_PLAN, "--on", "local"), "--clean-within"),
                            (("mirror", "--to", world.folder / "copy", "--follow"), "--interval"),
                            (("detect", "--plan", LOCAL_PLAN), "--for"), (("plan", "test-contacts", LOCAL_PLAN), "--timeout"),
                            (("serve", "--plan", LOCAL_PLAN, "--listen", "none"), "--jobs-after")):
        assert f'{option} "999999999h" is no duration from ' in refused(*command, option, "999999999h"), (command, option)
    assert '--outbox-limit "8000000TiB" is no size from 1MiB to ' in refused(*capture, "--outbox-limit", "8000000TiB")
    assert "36500d" in refused("find", "--dangerous", "--since", "999999999h ago")
    assert "36500d" in refused("restore", "--at", "999999999h ago", "--to", "dir:x")
    assert "HOST:PORT" in refused(*capture, "--metrics", "nonsense")
    assert "--metrics" in refused(*capture, "--metrics", "127.0.0.1:x")
    assert "--redis-server" in refused(*capture, "--redis-server", world.folder / "nothing")
    assert "not a folder" in refused(*capture, "--work-dir", world.passphrase)
    assert "--dry-run" in refused("restore", "--undo", "--dry-run", "--to", "redis://127.0.0.1:1")
    for to, given in ((f"dir:{world.folder}/d", ("--replace", "--ignore-key-counts", "--listen :7000", "--work-dir /tmp",
                                                "--target-password-file x", "--redis-server x")),
                      (f"rdb:{world.folder}/r", ("--replace", "--announce h:1", "--target-tls-ca-file x")),
                      ("redis://127.0.0.1:1", ("--redis-server x", "--undo --at latest", "--undo --work-dir /tmp"))):
        for words in given:
            assert "does nothing" in refused("restore", "--to", to, *words.split()), (to, words)
    for place in ("dir:s3://bucket/folder", "dir:file:///srv/redis", "rdb:gs://bucket/dump.rdb"):
        assert "takes a path, not a URL" in refused("restore", "--to", place), place
    assert "another path" in refused("restore", "--to", f"dir:{world.folder}/d", "--replace")
    assert "does nothing" in refused("drill", "run", "restore", "--unattended")
    assert "does nothing" in refused("drill", "run", "redis-lost", "--plan", LOCAL_PLAN, "--on", "local", "--rto", "1m")
    assert "does nothing" in refused("mirror", "--promote", "--follow")
    assert "does nothing" in refused("mirror", "--to", world.folder / "copy", "--interval", "1s")
    assert "does nothing" in refused("tag", "--list", "--note", "x")
    assert "does nothing" in refused("tag", "t", "--at", "latest", "--timeout", "1s")
    assert "--source" in refused("tag", "t", "--at", "latest", "--source", "redis://127.0.0.1:1")
    assert "--restore" in refused("verify", "--name", "nope")
    assert "inside each other" in refused("mirror", "--to", repo / "copy")
    assert "inside each other" in refused("mirror", "--to", world.folder)
    assert "is no text" in refused("plan", "import", world.folder / "plan.pdf")
    nowhere = world.folder / "nowhere" / "work"
    for command in (("restore", "--to", f"rdb:{world.folder}/dump.rdb"), ("restore", "--to", "redis://127.0.0.1:1"),
                    ("verify", "--restore"), ("expire",), ("bisect", "--check", "k* type=hash"), ("drill", "run", "restore")):
        assert "no such folder" in refused(*command, "--work-dir", nowhere), command
    assert "not a folder" in refused("verify", "--restore", "--work-dir", world.passphrase)
    assert "check the path" in refused("rdb", "check", world.folder / "nothing", code=3)
    assert names(world.folder) == before
    assert "no source yet" in world.run("history", "--repo", repo).out


def test_tag_list_is_no_tag_and_tag_source_takes_a_password_file(world):
    repo, source = world.init(world.folder / "repo"), world.redis("source", "--requirepass", "a secret")
    secret = world.folder / "secret"
    secret.write_text("a secret\n")
    capture = world.capture(repo, source, "--source-password-file", secret)
    world.wait_for("a first base", lambda: (status := world.status(repo)) and status["windows"])
    refused = world.run("tag", "list", "--repo", repo, check=False)
    assert refused.code == 2 and "anclora tag --list" in refused.err, refused
    assert world.run("tag", "t", "--repo", repo, "--source", source.url, check=False).code == 7
    world.run("tag", "t", "--repo", repo, "--source", source.url, "--source-password-file", secret)
    assert [tag["name"] for tag in world.run("tag", "--list", "--repo", repo, "--json").json()["tags"]] == ["t"]
    # No point comes any more: what cannot be a tag's name is told without waiting for one.
    capture.terminate()
    capture.wait()
    assert world.run("tag", "a/b", "--repo", repo, "--timeout", "1s", check=False).code == 2
    assert world.run("tag", "t", "--repo", repo, "--timeout", "1s", check=False).code == 4
    refused = world.run("tag", "late", "--repo", repo, check=False)
    assert refused.code == 5 and "capture was stopped" in refused.err, refused
    world.run("tag", "late", "--repo", repo, "--at", "latest")


def test_a_repository_inside_another_is_refused_and_init_leaves_no_empty_folder(world):
    repo = world.init(world.folder / "repo")
    assert not (world.folder / "repo" / "probe").exists(), list((world.folder / "repo").iterdir())
    for inner in ("inner", "sources/default"):
        refused = world.run("init", world.folder / "repo" / inner, check=False)
        assert refused.code == 5 and f"inside the repository {repo}" in refused.err, refused
        assert not (world.folder / "repo" / inner).exists()
    around = world.folder / "around"
    world.init(around / "two words" / "repo")
    before = names(around)
    for outer in (around, around / "two words"):
        refused = world.run("init", outer, check=False)
        assert refused.code == 5 and f"the repository {around}/two words/repo lies inside {outer}" in refused.err, refused
    for place in (around, around / "two words" / "repo" / "copy"):
        refused = world.run("mirror", "--repo", repo, "--to", place, check=False)
        assert refused.code == 5 and "two words/repo" in refused.err, refused
    assert names(around) == before
    world.init(around / "beside")
    before = names(world.folder / "repo")
    for args in (["restore", "--to", f"dir:{repo}/inner"], ["restore", "--to", f"rdb:{repo}/keys/dump.rdb"],
                 ["capture", "--source", "redis://127.0.0.1:1", "--outbox", repo],
                 ["capture", "--source", "redis://127.0.0.1:1", "--outbox", f"{repo}/outbox"]):
        refused = world.run(*args, "--repo", repo, check=False)
        assert refused.code == 5 and f"inside the repository {repo}" in refused.err, refused
    assert names(world.folder / "repo") == before


def test_a_recovery_key_that_nobody_could_see_is_told(world):
    with open("/dev/full", "w") as full:
        for args in (["init", world.folder / "repo"], ["init", world.folder / "other", "--json"],
                     ["key", "add", "--recovery", "--repo", world.folder / "repo"]):
            told = subprocess.run([world.anclora, *args], stdout=full, stderr=subprocess.PIPE, env=world.environment,
                                  text=True, timeout=300)
            assert told.returncode == 14 and "recovery key" in told.stderr and "key add --recovery" in told.stderr, told


def test_a_path_that_is_no_utf8_is_told_in_json(world):
    repo = os.fsencode(world.folder / "repo") + b"\xff"
    for args in (["init", repo], ["mirror", "--promote", "--to", repo]):
        told = subprocess.run([world.anclora, *args, "--json"], capture_output=True, env=world.environment, timeout=300)
        assert told.returncode in (0, 5) and json.loads(told.stdout), told
