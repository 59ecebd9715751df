"""Wrong words, wrong servers, wrong secrets: a clear error with the next step, before any side effect."""
import http.server
import threading

from harness import PATIENCE


def fails(world, *args, kind=None, says=(), env=None, timeout=PATIENCE):
    outcome = world.run(*args, check=False, env=env, timeout=timeout)
    assert outcome.code not in (0, 1), outcome
    if kind is not None:
        assert outcome.code == kind, outcome
    for text in says:
        assert text in outcome.err, (text, outcome)
    assert "hint:" in outcome.err or kind == 2, outcome
    return outcome


def test_a_wrong_passphrase_opens_nothing(world):
    repo = world.init(world.folder / "repo")
    wrong = world.folder / "wrong"
    wrong.write_text("not it\n")
    fails(world, "status", "--repo", repo, "--passphrase-file", wrong, kind=7)


def test_a_folder_without_a_repository_says_init(world):
    fails(world, "status", "--repo", world.folder / "nothing", kind=3, says=["init"])


def test_init_refuses_to_make_a_second_repository(world):
    repo = world.init(world.folder / "repo")
    fails(world, "init", repo, kind=4)


def test_an_unreachable_source_is_told_by_doctor(world):
    fails(world, "doctor", "redis://127.0.0.1:1", kind=8, says=["127.0.0.1:1"])


def test_a_wrong_password_is_told_by_doctor(world):
    source = world.redis("source", "--requirepass", "secret")
    outcome = fails(world, "doctor", f"redis://:wrong@127.0.0.1:{source.port}", kind=7)
    assert "wrong@" not in outcome.err + outcome.out


def test_a_web_server_is_not_a_redis(world):
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        fails(world, "doctor", f"redis://127.0.0.1:{server.server_address[1]}", says=["not a Redis"])
    finally:
        server.shutdown()


def test_a_malformed_moment_lists_the_forms(world):
    repo = world.init(world.folder / "repo")
    fails(world, "restore", "--repo", repo, "--at", "yesterday-ish", "--to", "redis://127.0.0.1:1", kind=2,
          says=["latest", "before:"])


def test_a_capture_of_another_url_under_a_taken_name_is_refused(world):
    first, second = world.redis("first"), world.redis("second")
    repo = world.init(world.folder / "repo")
    world.capture(repo, first)
    client = first.client()
    client("SET", "a", "b")
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    outcome = world.run("capture", "--source", second.url, "--repo", repo, "--outbox", world.folder / "o2", check=False,
                        timeout=PATIENCE)
    assert outcome.code not in (0, 1), outcome


def test_a_capture_that_never_reached_its_source_takes_no_name(world):
    locked, right = world.redis("locked", "--requirepass", "secret"), world.redis("right")
    repo = world.init(world.folder / "repo")
    fails(world, "capture", "--source", locked.url, "--repo", repo, kind=7)
    world.capture(repo, right)
    assert world.wait_protected(repo, 0)["url"] == right.url


def test_no_secret_is_printed_or_logged(world):
    source = world.redis("source", "--requirepass", "S3CRET-canary-1")
    repo = world.init(world.folder / "repo")
    capture = world.spawn("capture", "--source", f"redis://:S3CRET-canary-1@127.0.0.1:{source.port}", "--repo", repo,
                          log="capture.log")
    client = source.client()
    client("AUTH", "S3CRET-canary-1")
    client("SET", "a", "b")
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    outputs = [world.run(*args, "--repo", repo, check=False) for args in
               (["status"], ["status", "--json"], ["history"], ["find", "--dangerous"], ["verify"])]
    capture.terminate()
    capture.wait()
    text = "".join(o.out + o.err for o in outputs) + (world.folder / "capture.log").read_text()
    assert "S3CRET-canary-1" not in text and "correct horse" not in text
