#!/usr/bin/env python3
"""A stand-in for the message provider: answers like Evolution API, and remembers every message that it was sent.

Usage: provider.py PORT FILE [ADDRESS]        FILE: one JSON line a message, {at, key, recipient}; read again at the start

POST /message           {"number", "text"}, header Idempotency-Key -> 201 {"key": {"id", "remoteJid"}}. A message is counted
                        each time it comes: a provider that recognises a repeated key is the exception, not the rule
GET  /stats             {"total", "keys", "recipients", "duplicates", "duplicate_recipients": [at most 20], "last_at"}
GET  /sent?recipient=N  or ?key=K -> {"count", "at": [...]}
POST /fault             {"status": 503, "delay_ms": 100}: from now on; {} ends it. A refused message is not counted
"""
import json
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Sent:
    def __init__(self, path):
        self.lock = threading.Lock()
        self.keys, self.recipients, self.entries = Counter(), Counter(), []
        self.file = open(path, "a+", encoding="utf-8", buffering=1)
        self.file.seek(0)
        for line in self.file:
            try:
                self.remember(json.loads(line))
            except ValueError:  # the last line, cut by a kill
                self.file.write("\n")

    def remember(self, entry):
        self.entries.append(entry)
        self.keys[entry["key"]] += 1
        self.recipients[entry["recipient"]] += 1

    def add(self, key, recipient):
        with self.lock:
            entry = {"at": round(time.time(), 3), "key": key, "recipient": recipient}
            self.file.write(json.dumps(entry) + "\n")
            self.remember(entry)
            return len(self.entries)

    def stats(self):
        with self.lock:
            again = [recipient for recipient, count in self.recipients.items() if count > 1]
            return {"total": len(self.entries), "keys": len(self.keys), "recipients": len(self.recipients),
                    "duplicates": len(self.entries) - len(self.recipients), "duplicate_recipients": again[:20],
                    "last_at": self.entries[-1]["at"] if self.entries else None}

    def find(self, **wanted):
        with self.lock:
            at = [entry["at"] for entry in self.entries if all(entry[name] == value for name, value in wanted.items())]
        return {"count": len(at), "at": at}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    sent, fault = None, {}

    def log_message(self, *_):
        pass

    def reply(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items() if name in ("recipient", "key")}
        if url.path == "/stats":
            return self.reply(200, self.sent.stats())
        if url.path == "/sent" and query:
            return self.reply(200, self.sent.find(**query))
        return self.reply(200 if url.path == "/" else 404, {"status": "ok"} if url.path == "/" else {"error": "not found"})

    def do_POST(self):
        try:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
            if self.path == "/fault":
                Handler.fault = body
                return self.reply(200, body)
            number = body["number"]
        except (ValueError, KeyError, TypeError):
            return self.reply(400, {"error": "no JSON object with a number"})
        time.sleep(self.fault.get("delay_ms", 0) / 1000)
        if self.fault.get("status"):
            return self.reply(self.fault["status"], {"error": "a fault was asked for"})
        count = self.sent.add(self.headers.get("Idempotency-Key", ""), number)
        return self.reply(201, {"key": {"id": f"STUB{count:08d}", "remoteJid": f"{number}@s.whatsapp.net"}, "status": "PENDING"})


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    Handler.sent = Sent(sys.argv[2])
    Server((sys.argv[3] if len(sys.argv) > 3 else "127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
