"""docs/json.md against what the program prints: no field without a description, and none described that does not come."""
import pathlib
import re

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "json.md"


def documented(section):
    """Every name in backticks or quotes in a section."""
    text = DOCUMENT.read_text(encoding="utf-8")
    body = re.search(rf"^## [^\n]*\b{section}\b[^\n]*\n(.*?)(?=^## |\Z)", text, re.M | re.S).group(1)
    return set(re.findall(r'[`"]([a-z][a-z0-9_]*)[`"]', body))


def in_table_of(section):
    """The names in the first column of a section's table."""
    body = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", DOCUMENT.read_text(encoding="utf-8"), re.M | re.S).group(1)
    return set(re.findall(r"`([a-z_]+)`", " ".join(re.findall(r"^\| (`.*?) \|", body, re.M))))


def names_in(value, data=()):
    """Every field name in a reply, at any depth, but not those below `data`: there, names are data."""
    if isinstance(value, list):
        return set().union(*(names_in(item, data) for item in value)) if value else set()
    if isinstance(value, dict):
        below = (names_in(item, data) for name, item in value.items() if name not in data)
        return set(value).union(*below)
    return set()


def has_no_other_fields_than_documented(section, reply, also=(), data=()):
    undocumented = names_in(reply, data) - documented(section) - set(also)
    assert not undocumented, f"docs/json.md, {section}: no word about {sorted(undocumented)}"


def test_every_field_is_documented_and_every_documented_one_comes(world):
    source = world.redis("source")
    repo = world.folder / "repo"
    created = world.run("init", repo, "--json").json()
    has_no_other_fields_than_documented("init", created)
    world.capture(repo, source)
    world.wait_protected(repo, 0)
    client = source.client()
    client("SET", "a", 1)
    client("FLUSHALL")
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))

    doctor = world.run("doctor", source.url, "--json", check=False).json()
    has_no_other_fields_than_documented("doctor", doctor)

    base = {"name", "timeline", "offset", "time", "rdb_bytes", "stored_bytes", "origin", "redis_version"}
    verified = world.run("verify", "--restore", "--repo", repo, "--json").json()
    has_no_other_fields_than_documented("verify", verified)
    mirror = world.run("mirror", "--to", world.folder / "mirror", "--repo", repo, "--json").json()
    has_no_other_fields_than_documented("mirror", mirror)
    status = world.run("status", "--repo", repo, "--json").json()
    has_no_other_fields_than_documented("status", status)
    that_came = names_in(status["sources"]) | names_in(status["mirrors"]) | {"mirrors"}
    expected = documented("status") - {"repository", "id", "role", "primary", "mirror", "live", "stalled", "stopped", "null",
                                       "sources", "before", "after", "reason", "object", "problem"}  # gaps, damage
    assert not expected - that_came, f"docs/json.md, status: {sorted(expected - that_came)} did not come"

    has_no_other_fields_than_documented("history", world.run("history", "--repo", repo, "--json").json(), also=base)
    found = world.run("find", "--dangerous", "--repo", repo, "--json").json()
    assert found["found"], found
    has_no_other_fields_than_documented("find", found)
    has_no_other_fields_than_documented("expire", world.run("expire", "--dry-run", "--repo", repo, "--json").json())
    has_no_other_fields_than_documented("tag", world.run("tag", "kept", "--repo", repo, "--json").json())
    has_no_other_fields_than_documented("tag", world.run("tag", "--list", "--repo", repo, "--json").json())
    has_no_other_fields_than_documented("key", world.run("key", "list", "--repo", repo, "--json").json())
    old = next(s for s in world.run("key", "list", "--repo", repo, "--json").json()["slots"] if s["kind"] == "passphrase")
    more = world.folder / "more"
    more.write_text("one more passphrase\n")
    added = [world.run("key", "add", "--recovery", "--repo", repo, "--json").json(),
             world.run("key", "add", "--new-passphrase-file", more, "--repo", repo, "--json").json()]
    assert [reply["added"] for reply in added] == ["recovery", "passphrase"] and "recovery_key" in added[0], added
    has_no_other_fields_than_documented("key", world.run("key", "remove", old["slot"], "--repo", repo, "--json",
                                                         env={"ANCLORA_PASSPHRASE_FILE": str(more)}).json())
    more.rename(world.passphrase)
    has_no_other_fields_than_documented("mirror", world.run("mirror", "--promote", "--to", world.folder / "mirror", "--json").json())

    target = world.redis("target")
    plan = world.run("restore", "--to", target.url, "--dry-run", "--repo", repo, "--json").json()
    has_no_other_fields_than_documented("restore", plan)
    file = world.folder / "dump.rdb"
    restored = [world.run("restore", "--to", to, "--repo", repo, "--json").json()
                for to in (target.url, f"dir:{world.folder}/dir", f"rdb:{file}")]
    has_no_other_fields_than_documented("restore", restored)
    assert not in_table_of("restore") - names_in(restored), in_table_of("restore") - names_in(restored)
    for_every_target = {"target", "position", "time", "seconds", "newest_position", "rpo_seconds", "rpo_bytes",
                        "rpo_commands", "warnings"}
    assert all(for_every_target <= set(reply) for reply in restored), restored
    has_no_other_fields_than_documented("rdb", world.run("rdb", "check", file, "--json").json(), data=("types",))
    error = world.run("status", "--repo", world.folder / "nothing", "--json", check=False).json()
    assert set(error["error"]) == {"kind", "message", "hint", "exit_code"}, error
