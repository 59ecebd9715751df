"""The main job, as the README describes it: protect, break, find, restore."""
import json
import signal
import time

from harness import PATIENCE, Load


def protected_pair(world, *capture_options):
    """A source under no load with some data, captured into a folder repository."""
    source = world.redis("source", "--repl-backlog-size", "64mb")
    repo = world.init(world.folder / "repo")
    capture = world.capture(repo, source, *capture_options)
    client = source.client()
    client.pipeline([("SET", f"key:{i}", f"value {i}") for i in range(1000)])
    offset = int(client.info()["master_repl_offset"])
    world.wait_protected(repo, offset)
    return source, client, repo, capture


def restored_digest(world, repo, at, name="target"):
    target = world.redis(name)
    outcome = world.run("restore", "--repo", repo, "--at", at, "--to", target.url, "--json").json()
    assert target.client().info()["role"] == "master"
    return target, target.digest(), outcome


def test_flushall_is_found_and_undone_to_the_command_before_it(world):
    source, client, repo, _ = protected_pair(world)
    client("SET", "last", "before the mistake")
    before = source.digest()
    client("FLUSHALL")
    client("SET", "after", "the mistake")
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    found = world.run("find", "--dangerous", "--repo", repo, "--json").json()["found"]
    assert [entry["command"] for entry in found] == ["FLUSHALL"], found
    assert found[0]["at"].startswith("before:"), found
    _, digest, _ = restored_digest(world, repo, found[0]["at"])
    assert digest == before


def test_the_latest_point_equals_the_source_after_it_is_lost(world):
    source, client, repo, _ = protected_pair(world)
    load = Load(source)
    time.sleep(2)
    load.stop()
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    before = source.digest()
    source.kill()
    _, digest, outcome = restored_digest(world, repo, "latest")
    assert digest == before
    assert outcome["checks"], outcome


def test_a_restore_to_a_time_shows_the_state_of_that_time(world):
    source, client, repo, _ = protected_pair(world)
    time.sleep(0.5)
    before = source.digest()
    moment = client("TIME")
    time.sleep(0.5)
    client("SET", "later", "1")
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(int(moment[0]))) + f".{int(moment[1]):06d}Z"
    _, digest, _ = restored_digest(world, repo, at)
    assert digest == before


def test_a_data_directory_starts_with_appendonly_and_equals_the_source(world):
    source, client, repo, _ = protected_pair(world)
    before = source.digest()
    folder = world.folder / "restored"
    world.run("restore", "--repo", repo, "--to", f"dir:{folder}")
    target = world.redis("restored", "--appendonly", "yes")
    assert target.digest() == before


def test_an_rdb_file_holds_the_point(world):
    source, client, repo, _ = protected_pair(world)
    client("SELECT", 3)
    client("HSET", "hash", "field", "value")
    client("SELECT", 0)
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    before = source.digest()
    (world.folder / "rdb").mkdir()
    world.run("restore", "--repo", repo, "--to", f"rdb:{world.folder}/rdb/dump.rdb")
    target = world.redis("rdb")
    assert target.digest() == before


def test_a_target_with_data_is_refused_and_replaced_only_with_a_safety_copy(world):
    source, client, repo, _ = protected_pair(world)
    before = source.digest()
    target = world.redis("target")
    target_client = target.client()
    target_client("SET", "precious", "1")
    old = target.digest()
    refused = world.run("restore", "--repo", repo, "--to", target.url, check=False)
    assert refused.code == 5, refused
    assert "--replace" in refused.err, refused
    assert target.digest() == old
    done = world.run("restore", "--repo", repo, "--to", target.url, "--replace")
    assert target.digest() == before
    line = next(line for line in (done.out + done.err).splitlines() if "anclora restore" in line and "safety" in line)
    words = line[line.index("anclora restore"):].split()[1:]
    again = world.redis("again")
    words = [again.url if word.startswith("redis://") or word == "TARGET" else word for word in words]
    if "--repo" not in words:
        words += ["--repo", repo]
    world.run(*words)
    assert again.digest() == old


def test_sigterm_ends_an_idle_capture_without_waiting_for_its_next_tick(world):
    repo, source = world.init(world.folder / "repo"), world.redis("source")
    took, witness = [], world.witness()
    for _ in range(4):
        capture = world.capture(repo, source)
        world.wait_for("a stream", lambda: "streaming" in (world.folder / "capture.log").read_text())
        (world.folder / "capture.log").write_text("")
        time.sleep(0.5)
        begun = time.monotonic()
        capture.terminate()
        assert capture.wait(PATIENCE) == 0, world.logs()
        took.append(time.monotonic() - begun)
    assert min(took) < witness.limit(0.7), took  # the ticks of an idle capture are a second apart


def test_sigterm_drains_and_says_up_to_where_it_is_protected(world):
    source, client, repo, capture = protected_pair(world)
    client("SET", "last", "write")
    offset = int(client.info()["master_repl_offset"])
    # timeout(1) tells the process and its group: that is one request. Two of a kind might be one to the kernel, too.
    for each in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
        capture.send_signal(each)
    assert capture.wait(PATIENCE) == 0
    status = world.status(repo)
    assert status["protected_offset"] >= offset
    assert "protected up to" in (world.folder / "capture.log").read_text()


def test_wait_counts_a_copy_that_is_safe_in_the_repository(world):
    source, client, repo, _ = protected_pair(world)
    slowest, witness = 0.0, world.witness()
    for i in range(5):
        client("SET", "waited", i)
        started = time.monotonic()
        assert client("WAIT", 1, 1000 * PATIENCE // 2) == 1
        slowest = max(slowest, time.monotonic() - started)
        protected = world.status(repo)["protected_offset"]
        assert protected >= int(client.info()["master_repl_offset"]) - 200
    assert slowest < witness.limit(1.5)


def test_a_second_capture_is_refused_and_names_the_holder(world):
    source, client, repo, first = protected_pair(world)
    second = world.run("capture", "--source", source.url, "--repo", repo, "--outbox", world.folder / "other-outbox",
                       check=False)
    assert second.code == 11, second
    assert first.poll() is None


def test_a_killed_capture_goes_on_without_a_gap(world):
    source, client, repo, capture = protected_pair(world)
    load = Load(source, rate=1000)
    for _ in range(5):
        time.sleep(0.7)
        capture.kill()
        capture.wait()
        capture = world.capture(repo, source)
    time.sleep(1)
    load.stop()
    status = world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    assert status["gaps"] == [] and len(status["windows"]) == 1, status
    before = source.digest()
    _, digest, _ = restored_digest(world, repo, "latest")
    assert digest == before


def test_a_lost_source_that_returns_empty_opens_a_new_timeline_with_an_honest_gap(world):
    source, client, repo, capture = protected_pair(world)
    before = source.digest()
    old = world.status(repo)["protected_offset"]
    source.kill()
    source.start()
    fresh = source.client()
    fresh("SET", "new", "life")
    status = world.wait_for("a new window", lambda: (lambda s: s["gaps"] and len(s["windows"]) == 2 and s)(world.status(repo)))
    assert len(status["gaps"]) == 1, status
    _, digest, _ = restored_digest(world, repo, f"offset:1/{old}", "old")
    assert digest == before
    _, digest, _ = restored_digest(world, repo, "latest", "new")
    assert digest == source.digest()


def test_status_is_json_with_the_documented_fields(world):
    _, _, repo, _ = protected_pair(world)
    status = world.status(repo)
    for field in ("name", "source_offset", "protected_offset", "lag_bytes", "lag_seconds", "windows", "gaps"):
        assert field in status, field
    assert json.dumps(status)
