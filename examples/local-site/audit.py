"""What the service accepted against what the provider was sent: the truth about loss and duplicates."""
import contextlib
import json
import time
from collections import Counter


def lines(path):
    if path.exists():
        with open(path, encoding="utf-8") as file:
            for line in file:
                with contextlib.suppress(ValueError):  # the last line, while it is written
                    yield json.loads(line)


def audit_once(folder, now):
    accepted = list(lines(folder / "accepted.jsonl"))
    unknown = {entry["recipient"] for entry in lines(folder / "unknown.jsonl")}
    sent = Counter(entry["recipient"] for entry in lines(folder / "sent.jsonl"))
    owed = [entry for entry in accepted if entry.get("due", entry["at"]) <= now]
    lost = [entry for entry in owed if entry["recipient"] not in sent]
    duplicates = [recipient for recipient, count in sent.items() if count > 1]
    known = {entry["recipient"] for entry in accepted} | unknown
    return {
        "accepted": len(accepted),
        "owed": len(owed),  # accepted, and not scheduled for later
        "refused": sum(1 for _ in lines(folder / "refused.jsonl")),
        "unknown": len(unknown),
        "sent": sum(sent.values()),
        "sent_recipients": len(sent),
        "lost": len(lost),
        "lost_accepted_at": [entry["at"] for entry in (lost[0], lost[-1])] if lost else [],
        "lost_messages": [{key: entry[key] for key in ("at", "id", "recipient")} for entry in lost[:20]],
        "duplicates": sum(sent.values()) - len(sent),
        "duplicate_recipients": duplicates[:20],
        "sent_though_not_accepted": len(set(sent) - known),
    }


def audit(folder, wait=0.0):
    """Judges what was accepted until now; waits up to `wait` seconds for messages that are still on their way."""
    now = time.time()
    deadline = time.monotonic() + wait
    while True:
        found = audit_once(folder, now)
        if found["lost"] == 0 or time.monotonic() > deadline:
            return found
        time.sleep(0.2)
