#!/usr/bin/env python3
"""Proves an audit export of Anclora DR with nothing but Python and audit-export.md: verify_audit.py EXPORT [TIP]

EXPORT is the .tar or the folder. TIP is the hash that was told when the export was made, kept elsewhere: without it,
lines cut off the end of everything, or everything written anew, cannot be noticed. Ends with 1 when anything is wrong.
"""
import hashlib
import json
import pathlib
import sys
import tarfile

ZEROS = "0" * 64


def blake(data):
    return hashlib.blake2b(data, digest_size=32).hexdigest()


def read(path):
    if pathlib.Path(path).is_dir():
        root = pathlib.Path(path)
        return {str(f.relative_to(root)): f.read_bytes() for f in root.rglob("*") if not f.is_dir()}
    with tarfile.open(path) as archive:
        members = archive.getmembers()
        if len({member.name for member in members if member.isfile()}) != len(members):
            sys.exit(f"{path}: a name twice, or something else than a plain file: no export holds that")
        return {member.name: archive.extractfile(member).read() for member in members}


def chain(segments, wrong):
    """The records of a journal's segments [(path, bytes)], and the hash of the last; what breaks the chain is told."""
    records, tip = [], ZEROS
    for path, data in segments:
        for number, line in enumerate(data.split(b"\n")[:-1], 1):  # what follows the last newline is a torn end
            body, _, tail = line.rpartition(b',"hash":"')
            if tail != blake(body).encode() + b'"}':
                wrong(path, number, "its hash does not fit")
                continue
            record = json.loads(line)
            if record["prev"] != tip or record["n"] != len(records) + 1:
                wrong(path, number, "it does not follow the line before it")
            tip = record["hash"]
            records.append(record)
    return records, tip


def prove(files, expected_tip=None):
    findings = []
    wrong = lambda path, line, what: findings.append(f"{path}:{line}: {what}")
    manifest, tip = chain([("manifest.jsonl", files.get("manifest.jsonl", b""))], wrong)
    if not files.get("manifest.jsonl", b"\n").endswith(b"\n"):
        wrong("manifest.jsonl", len(manifest) + 1, "added, or its newline is missing")
    if not manifest or manifest[-1]["kind"] != "export.finished":
        wrong("manifest.jsonl", len(manifest) + 1, "its end is missing")
    if expected_tip not in (None, tip):
        wrong("manifest.jsonl", len(manifest), f"it ends in {tip}, not as it was told")
    named = {r["fields"]["path"]: r["fields"]["hash"] for r in manifest if r["kind"] == "export.file"}
    for path in sorted(named.keys() | files.keys() - {"manifest.jsonl"}):
        if path not in files or path not in named:
            wrong(path, 0, "removed" if path in named else "added")
        elif blake(files[path]) != named[path]:
            hashes = " ".join(r["fields"]["hashes"] for r in manifest
                              if r["kind"] == "export.lines" and r["fields"]["path"] == path).split()
            lines = [blake(line)[:8] for line in files[path].removesuffix(b"\n").split(b"\n")]
            differs = [i for i in range(max(len(lines), len(hashes))) if lines[i:i + 1] != hashes[i:i + 1]]
            wrong(path, differs[0] + 1 if differs else len(lines), "changed")
    for folder in sorted({path.rpartition("/")[0] for path in files if path.endswith("/plan.yaml")}):
        segments = sorted((p, d) for p, d in files.items() if p.startswith(folder + "/journal-"))
        records, _ = chain(segments, wrong)
        if not records or records[0].get("fields", {}).get("plan_hash") != blake(files[folder + "/plan.yaml"]):
            wrong(folder + "/plan.yaml", 0, "not the plan that the journal was begun with")
        for run in (r["fields"]["run"] for r in records if r["kind"] == "incident.run_linked"):
            missing = any(r["kind"] == "export.missing" and r["fields"]["run"] == run for r in manifest)
            if f"runs/{run}/plan.yaml" not in files and not missing:
                wrong(f"runs/{run}", 0, "the journal of a linked run is missing")
    return findings, tip


if __name__ == "__main__":
    found, end = prove(read(sys.argv[1]), *sys.argv[2:3])
    print("\n".join(found) or f"whole; it ends in {end}")
    sys.exit(1 if found else 0)
