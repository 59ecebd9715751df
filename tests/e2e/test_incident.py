"""anclora incident: opened by a person or by a run, talked about by several, reported, exported, proved by a third party."""
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

from test_json_fields import has_no_other_fields_than_documented
from test_run import Site, finish, step

VERIFIER = pathlib.Path(__file__).resolve().parents[2] / "docs" / "formats" / "verify_audit.py"


def incident(world, *args, **kwargs):
    return world.run("incident", *args, **kwargs)


def state_folder(world):
    return next(folder for folder in world.folder.rglob("incidents") if folder.is_dir())


def opened(world, site, *options):
    return incident(world, "open", "--scenario", "lost", "--plan", site.plan, "--as", "ada", "--json",
                    *options).json()["incident"]


def kinds(shown, source=None):
    return [event["kind"] for event in shown["timeline"] if source in (None, event["source"])]


def test_a_person_opens_acknowledges_notes_and_closes_it(world):
    site = Site(world, [step("one")])
    assert "holds no incident" in incident(world, "show", check=False).err
    name = opened(world, site, "--note", "orders fail")
    again = incident(world, "open", "--scenario", "lost", "--plan", site.plan, "--as", "bob", check=False)
    assert again.code == 4 and name in again.err, again
    stranger = incident(world, "ack", "--as", "eve", check=False)
    assert stranger.code == 2 and "ada, bob" in stranger.err, stranger
    incident(world, "ack", "--as", "bob")
    incident(world, "ack", "--as", "bob")  # it holds again from now on
    incident(world, "note", "the provider confirms", "--as", "bob")
    assert incident(world, "severity", "low", "--as", "bob", check=False).code == 2
    incident(world, "severity", "critical", "--as", "bob", "--reason", "no order")
    assert incident(world, "action", "add", "x", "--owner", "ada", "--due", "soon", "--as", "bob", check=False).code == 2
    added = incident(world, "action", "add", "alarm on memory", "--owner", "ada", "--due", "2026-12-01", "--as", "bob",
                     "--json").json()
    assert added["item"] == "a1"
    incident(world, "close", "--as", "ada", "--reason", "served again")
    late = incident(world, "ack", name, "--as", "ada", check=False)
    assert late.code == 5 and "closed" in late.err, late
    assert incident(world, "ack", "--as", "ada", check=False).code == 3
    incident(world, "action", "done", "a1", "--as", "ada", "--evidence", "it fired")
    twice = incident(world, "action", "done", "a1", "--as", "ada", "--evidence", "it fired", check=False)
    assert twice.code == 5 and "already" in twice.err, twice

    shown = incident(world, "show", "--json").json()
    has_no_other_fields_than_documented("incident", shown)
    assert shown["state"] == "closed" and shown["summary"] == "orders fail"
    assert [each["contact"] for each in shown["acknowledgements"]] == ["bob"]
    assert kinds(shown) == ["incident.opened", "incident.acknowledged", "incident.acknowledged", "incident.note",
                            "incident.severity", "action.added", "incident.closed", "action.done"]
    assert shown["actions"][0]["done_by"] == "ada"
    listed = incident(world, "list", "--json").json()
    has_no_other_fields_than_documented("incident", listed)
    assert [each["incident"] for each in listed["incidents"]] == [name]


def test_what_people_write_stands_in_the_report_in_every_format_and_language(world):
    site = Site(world, [step("one")])
    name = opened(world, site)
    blank = "to be written by people", "por escribir por las personas"
    texts = {part: f"what <{part}> was" for part in (
        "root_cause", "impact", "users_affected", "revenue_impact", "resolution", "prevention", "went_well", "to_improve")}
    unknown = incident(world, "write", "blame", "bob", "--as", "ada", check=False)
    assert unknown.code == 2 and "root_cause" in unknown.err, unknown
    assert incident(world, "write", "root_cause", "x", "--as", "eve", check=False).code == 2
    incident(world, "action", "add", "alarm", "--owner", "ada", "--due", "2026-12-01", "--as", "ada")
    incident(world, "write", "root_cause", "a first guess", "--as", "ada")
    incident(world, "close", "--as", "ada", "--reason", "served again")
    for part, text in texts.items():
        incident(world, "write", part, text, "--as", "bob", "--incident", name)
    incident(world, "write", "to_improve", "and another", "--as", "ada", "--incident", name)
    shown = incident(world, "show", name, "--json").json()
    has_no_other_fields_than_documented("incident", shown)
    assert [(each["part"], each["contact"]) for each in shown["written"]][:2] == [("root_cause", "ada"), ("root_cause", "bob")]
    words = incident(world, "report", name, "--format", "json").json()["words"]
    assert {part: words[part] for part in texts} == {
        **texts, "went_well": ["what <went_well> was"], "to_improve": ["what <to_improve> was", "and another"]}, words
    for language in "en", "es":
        for form in "md", "html":
            out = incident(world, "report", name, "--format", form, "--language", language).out
            assert not any(text in out for text in blank), out
            for part in texts:
                assert part.replace("_", "") in out.replace("\\", "").replace("_", ""), (part, out)
            assert "a first guess" in out and "and another" in out, out
    incident(world, "export", name, "--out", world.folder / "out.tar")
    assert incident(world, "verify", world.folder / "out.tar").code == 0


def test_a_run_on_production_opens_it_and_the_next_one_joins(world):
    site = Site(world, [step("one"), step("two", "one", 0, "", ", approve: {roles: [lead], timeout: 10m}")])
    process = site.start(log="first.log")
    site.wait_state("two", "awaiting_approval")
    first = site.status()["run"]
    shown = incident(world, "show", "--json").json()
    assert shown["origin"] == "run" and shown["severity"] == "critical"
    assert [each["run"] for each in shown["runs"]] == [first]
    assert shown["next_command"].startswith("anclora incident ack"), shown["next_command"]
    incident(world, "ack", "--as", "bob")
    shown = incident(world, "show", "--json").json()
    assert shown["next_command"].startswith("anclora run approve two"), shown["next_command"]
    world.run("run", "approve", "two", "--as", "bob")
    assert finish(process) == 0
    second = site.start("--no-wait", log="second.log")
    finish(second)
    shown = incident(world, "show", "--json").json()
    assert len(shown["runs"]) == 2 and len(incident(world, "list", "--json").json()["incidents"]) == 1
    times = [event["time"] for event in shown["timeline"]]
    assert times == sorted(times)
    assert "step.verified" in kinds(shown, first) and "incident.acknowledged" in kinds(shown, shown["incident"])
    assert "run " + first in incident(world, "show").out


def test_a_resumed_run_is_linked_once_also_when_it_was_killed_before(world):
    site = Site(world, [step("one", "", 1), step("two", "one", 0, "", ", approve: {roles: [lead], timeout: 10m}")])
    finish(site.start("--no-wait", log="start.log"))
    run = site.status()["run"]
    world.run("run", "resume", "--no-wait", check=False)
    shown = incident(world, "show", "--json").json()
    assert kinds(shown).count("incident.run_linked") == 1, shown
    shutil.rmtree(state_folder(world) / shown["incident"])  # as if it had been killed before it was linked
    world.run("run", "resume", "--no-wait", check=False)
    assert [each["run"] for each in incident(world, "show", "--json").json()["runs"]] == [run]


def test_a_drill_opens_none(world):
    site = Site(world, [step("one")])
    world.run("run", "start", "lost", "--plan", site.plan, "--on", "lab", "--yes", "--as", "ada", check=False,
              env={"LAB_URL": "redis://127.0.0.1:1", "LAB_REPO": site.repo})
    assert incident(world, "list").out == "no incident\n"


def test_many_processes_append_at_once_and_none_is_lost(world):
    site = Site(world, [step("one")])
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        def open_one(_):
            return incident(world, "open", "--scenario", "lost", "--plan", site.plan, "--as", "ada", check=False).code
        assert sorted(pool.map(open_one, range(8))) == [0] + [4] * 7
        wanted = [f"note {i}" for i in range(40)]
        for outcome in pool.map(lambda text: incident(world, "note", text, "--as", "ada"), wanted):
            assert outcome.code == 0
    shown = incident(world, "show", "--json").json()
    assert sorted(each["text"] for each in shown["notes"]) == sorted(wanted)
    assert shown["journal"]["records"] == 41 and shown["journal"]["cut_bytes"] == 0


def test_a_changed_journal_is_named_by_file_and_line(world):
    site = Site(world, [step("one")])
    name = opened(world, site)
    incident(world, "note", "ada was told at noon", "--as", "ada")
    journal = state_folder(world) / name / "journal-000002.jsonl"
    journal.write_text(journal.read_text().replace("noon", "nine"))
    shown = incident(world, "show", check=False)
    assert shown.code == 12 and "journal-000002.jsonl:1:" in shown.err, shown
    listed = incident(world, "list", check=False)
    assert listed.code == 12 and "DAMAGED" in listed.out, listed


def third_party(path, *tip):
    """The verifier of the documentation: (whole?, what it printed)."""
    outcome = subprocess.run([sys.executable, VERIFIER, path, *tip], capture_output=True, text=True)
    return outcome.returncode == 0, outcome.stdout + outcome.stderr


def an_incident_with_a_run(world):
    site = Site(world, [step("one")])
    world.run("run", "start", "lost", "--plan", site.plan, "--yes", "--as", "ada")
    incident(world, "ack", "--as", "bob")
    incident(world, "note", "the provider confirms", "--as", "bob")
    incident(world, "action", "add", "alarm on memory", "--owner", "ada", "--due", "2026-12-01", "--as", "bob")
    incident(world, "close", "--as", "ada", "--reason", "served again")
    return site


def test_an_export_is_proved_by_us_and_by_a_third_party_and_tampering_is_shown(world):
    site = an_incident_with_a_run(world)
    archive, folder = world.folder / "evidence.tar", world.folder / "evidence"
    made = incident(world, "export", "--out", archive, "--json").json()
    has_no_other_fields_than_documented("incident", made)
    assert made["noted_in_repository"] and made["runs"] == 1, made
    incident(world, "export", "--out", folder)
    assert incident(world, "export", "--out", archive, check=False).code == 4
    proof = incident(world, "verify", archive, "--tip", made["tip"], "--json").json()
    has_no_other_fields_than_documented("incident", proof)
    assert proof["whole"] and proof["compared_with_elsewhere"], proof
    assert "kept elsewhere" in incident(world, "verify", folder).out
    assert incident(world, "verify", archive, "--repo", site.repo).code == 0
    for path in (archive, folder):
        whole, told = third_party(path)
        assert whole, told
    assert third_party(archive, made["tip"])[0] and not third_party(archive, "0" * 64)[0]
    other_tip = incident(world, "verify", archive, "--tip", "0" * 64, check=False)
    assert other_tip.code == 12, other_tip

    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        original = file.read_bytes()
        name = str(file.relative_to(folder))
        lines = original.split(b"\n")[:-1]
        for number in sorted({1, len(lines) // 2 + 1, len(lines)}):
            at = sum(len(line) + 1 for line in lines[:number - 1]) + len(lines[number - 1]) // 2
            file.write_bytes(original[:at] + bytes([original[at] ^ 1]) + original[at + 1:])
            ours = incident(world, "verify", folder, check=False)
            assert ours.code == 12 and f"{name}:{number}:" in ours.out, (name, number, ours)
            whole, told = third_party(folder)
            assert not whole and f"{name}:{number}:" in told, (name, number, told)
            file.write_bytes(b"\n".join(lines[:number - 1] + lines[number:]) + b"\n")
            assert incident(world, "verify", folder, check=False).code == 12 and not third_party(folder)[0]
        file.write_bytes(original)
        file.rename(world.folder / "away")
        assert incident(world, "verify", folder, check=False).code == 12 and not third_party(folder)[0]
        (world.folder / "away").rename(file)
    with open(folder / "manifest.jsonl", "ab") as manifest:
        manifest.write(b"added")  # no line: what a crash leaves of a journal, and no export
    assert incident(world, "verify", folder, check=False).code == 12 and "manifest.jsonl:" in third_party(folder)[1]
    os.truncate(folder / "manifest.jsonl", (folder / "manifest.jsonl").stat().st_size - len(b"added"))
    assert third_party(folder)[0]
    with tarfile.open(archive, "a") as twice:
        twice.add(folder / "README.txt", "incident/journal-000001.jsonl")
    assert incident(world, "verify", archive, check=False).code == 12 and not third_party(archive)[0]
    (folder / "runs" / "extra.txt").write_text("x")
    assert "extra.txt" in incident(world, "verify", folder, check=False).out and "extra.txt" in third_party(folder)[1]


def test_lines_cut_off_the_end_show_against_the_repository(world):
    site = an_incident_with_a_run(world)
    name = incident(world, "show", "--json").json()["incident"]
    journals = sorted((state_folder(world) / name).glob("journal-*.jsonl"))
    last = journals[-1].read_text().splitlines(keepends=True)
    assert "incident.closed" in last[-1]
    if len(last) == 1:
        journals[-1].unlink()
    else:
        journals[-1].write_text("".join(last[:-1]))
    shorter = world.folder / "shorter.tar"
    incident(world, "export", name, "--out", shorter)
    assert incident(world, "verify", shorter).code == 0  # whole in itself
    found = incident(world, "verify", shorter, "--repo", site.repo, check=False)
    assert found.code == 12 and "cut: the repository noted" in found.out, found


def test_a_report_says_what_the_incident_and_its_runs_say(world):
    an_incident_with_a_run(world)
    text = incident(world, "report").out
    for wanted in ("alarm on memory", "2026-12-01", "served again", "Ada", "Incident opened", "Action item", "Lost"):
        assert wanted.lower() in text.lower(), (wanted, text)
    out = world.folder / "report.html"
    incident(world, "report", "--out", out, "--language", "es")
    assert "<html lang=\"es\"" in out.read_text()
    facts = incident(world, "report", "--format", "json").json()
    assert facts["kind"] == "incident" and facts["rto"]["achieved_seconds"] is not None, facts
