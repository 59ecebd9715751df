"""anclora bisect: the command that did the damage, found by scratch restores."""
import math


def damaged_history(world, writes=4000, bad_at=2711):
    """A history of writes in which one damages a job; returns (repo, offset just before it, offset just after it)."""
    source = world.redis("source")
    client = source.client()
    repo = world.init(world.folder / "repo")
    world.capture(repo, source)
    world.wait_protected(repo, 0)

    def offset():
        return int(client.info()["master_repl_offset"])
    before = after = None
    for i in range(writes):
        if i == bad_at:
            before = offset()
            client.pipeline([("MULTI",), ("DEL", "bull:jobs:7"), ("SET", "bull:jobs:7", "garbage"), ("EXEC",)])
            after = offset()
        else:
            client("HSET", f"bull:jobs:{i % 500}", "name", "send", "data", "x" * (i % 97)) if i % 500 != 7 or i < bad_at \
                else client("SET", "other", i)
    world.wait_protected(repo, offset())
    return repo, before, after


def test_the_damaging_transaction_is_found_by_a_rule(world):
    repo, before, after = damaged_history(world)
    found = world.run("bisect", "--repo", repo, "--check", "bull:jobs:* type=hash", "--json").json()
    good, bad = (int(found[which]["position"].split("/")[1]) for which in ("last_good", "first_bad"))
    # PINGs of the source may stand around the transaction.
    assert before <= good and good < after and before < bad <= after, (before, good, bad, after)
    assert found["restores"] <= 2 + math.ceil(math.log2(4000)) + 2, found["restores"]
    assert any("garbage" in suspect["command"] for suspect in found["suspects"]), found["suspects"]
    target = world.redis("target")
    at = found["restore"].split("--at ")[1].split()[0]
    world.run("restore", "--repo", repo, "--at", at, "--to", target.url)
    assert target.client()("TYPE", "bull:jobs:7") == "hash"


def test_a_program_may_be_the_check(world):
    repo, before, after = damaged_history(world, writes=600, bad_at=123)
    script = world.folder / "check.sh"
    script.write_text('#!/bin/sh\n[ "$(redis-cli -s "$ANCLORA_CHECK_SOCKET" TYPE bull:jobs:7)" != string ]\n')
    script.chmod(0o755)
    found = world.run("bisect", "--repo", repo, "--json", "--", script).json()
    assert before <= int(found["last_good"]["position"].split("/")[1]) < after
    text = world.run("bisect", "--repo", repo, "--", script).out
    assert "last good: " in text and "SET bull:jobs:7 garbage" in text and "anclora restore" in text, text


def test_a_start_before_everything_that_is_kept_means_the_oldest_point(world):
    repo, before, after = damaged_history(world, writes=60, bad_at=30)
    found = world.run("bisect", "--repo", repo, "--since", "2h ago", "--check", "bull:jobs:* type=hash", "--json").json()
    assert before <= int(found["last_good"]["position"].split("/")[1]) < after, (before, found, after)


def test_what_cannot_be_searched_is_told(world):
    repo, before, after = damaged_history(world, writes=60, bad_at=30)

    def refused(*args):
        outcome = world.run("bisect", "--repo", repo, *args, check=False)
        assert outcome.code != 0
        return outcome.err
    assert "needs a check" in refused()
    assert "knows no" in refused("--check", "bull:* colour=red")
    assert "asks for nothing" in refused("--check", "bull:*")
    assert "nothing wrong" in refused("--check", "bull:* at-most=100000")
    assert "bad at" in refused("--check", "nothing:* at-least=1")
    assert "cannot tell" in refused("--", "sh", "-c", "exit 125")
    assert "failed (exit 127)" in refused("--", "sh", "-c", "no-such-program-at-all")
    assert "no program" in refused("--", "no-such-program-at-all")
    assert "did not end" in refused("--check-timeout", "1s", "--", "sleep", "60")
    assert "before" in refused("--since", "latest", "--until", "latest", "--check", "bull:* type=hash")


def test_the_scratch_servers_of_a_search_are_gone_after_it(world):
    repo, _, _ = damaged_history(world, writes=60, bad_at=30)
    work = world.folder / "work"
    work.mkdir()
    world.run("bisect", "--repo", repo, "--check", "bull:jobs:* type=hash", "--work-dir", work)
    assert list(work.iterdir()) == []
