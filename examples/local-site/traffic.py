#!/usr/bin/env python3
"""Steady traffic to the service, each message to a recipient of its own, and a record of what became of it.

Usage: traffic.py SITE-FOLDER       settings: site.json (traffic) of that folder

Which instances get it says the traffic file (ACTIVE=blue|green|none), read again before each message. Records:
accepted.jsonl  the service answered 2xx: it owes this message          {at, recipient, id, instance, due?}
refused.jsonl   it answered otherwise, or was not reached: owes nothing {at, recipient, reason}
unknown.jsonl   the answer was lost: it may have taken it or not        {at, recipient, reason}
A message is never tried twice. Every tenth one is scheduled, a quarter of them for soon, the rest for tomorrow, so that
the queue has delayed jobs too.
"""
import http.client
import json
import pathlib
import signal
import sys
import threading
import time


class Traffic:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.site = json.loads((self.folder / "site.json").read_text())
        self.key = (self.folder / "api-key").read_text().strip()
        self.lock = threading.Lock()
        self.files = {name: open(self.folder / f"{name}.jsonl", "a", encoding="utf-8", buffering=1)
                      for name in ("accepted", "refused", "unknown")}
        # Never the recipient of an earlier start, not even within the same second.
        self.base = int(time.time() * 1000) % 10**9 * 1000
        self.number = 0
        self.connections = threading.local()
        self.stopping = threading.Event()

    def active(self):
        try:
            for line in (self.folder / "traffic.env").read_text().splitlines():
                if line.startswith("ACTIVE="):
                    return self.site["groups"].get(line[len("ACTIVE="):].strip(), [])
        except OSError:
            pass  # it is being replaced
        return []

    def record(self, outcome, **fields):
        with self.lock:
            self.files[outcome].write(json.dumps({"at": round(time.time(), 3), **fields}) + "\n")

    def connection(self, port):
        known = self.connections.__dict__
        if port not in known:
            known[port] = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        return known[port]

    def send(self, number, port):
        recipient = str(34 * 10**12 + self.base + number)
        message = {"recipientPhone": recipient, "messageType": "text", "content": f"message {number}",
                   "metadata": {"campaignId": f"c{number % 5}"}, "priority": ["normal", "high", "low"][number % 3]}
        path, extra = "/queue/add", {}
        if number % 10 == 9:
            due = time.time() + (5 if number % 40 == 9 else 86400)
            path, message["scheduledFor"], extra = "/queue/schedule", round(due * 1000), {"due": round(due, 3)}
        connection = self.connection(port)
        try:
            connection.connect() if connection.sock is None else None
        except OSError as error:
            connection.close()
            return self.record("refused", recipient=recipient, reason=f"not reached: {error}")
        try:
            connection.request("POST", path, json.dumps(message), {"X-API-Key": self.key, "Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return self.record("unknown", recipient=recipient, reason=f"no answer: {error!r}")
        if 200 <= answer.status < 300:
            return self.record("accepted", recipient=recipient, id=json.loads(text)["messageId"], instance=port, **extra)
        return self.record("refused", recipient=recipient, reason=f"{answer.status}: {text[:200]}")

    def work(self):
        every = 1 / self.site["rate"]
        while not self.stopping.is_set():
            ports = self.active()
            with self.lock:
                self.number += 1
                number = self.number
                now = time.monotonic()
                self.next = max(self.next, now - 1) + every
                wait = self.next - now
            if ports:
                self.send(number, ports[number % len(ports)])
            self.stopping.wait(max(0.0, wait))

    def run(self):
        self.next = time.monotonic()
        # Several, so that one slow answer does not hold up the rest.
        threads = [threading.Thread(target=self.work) for _ in range(4)]
        for thread in threads:
            thread.start()
        # A message whose answer is awaited is recorded before the end.
        signal.signal(signal.SIGTERM, lambda *_: self.stopping.set())
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    Traffic(sys.argv[1]).run()
