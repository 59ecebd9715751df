#!/usr/bin/env python3
"""Takes every POST and PUT and keeps it as a file, NNNN.json: {at, method, path, headers, body}.

Usage: webhook_sink.py PORT DIR
GET /count -> {"count"}.    POST /fault {"status": 500}: refuse from now on (what is refused is not kept); {} ends it.
"""
import json
import pathlib
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    lock = threading.Lock()
    folder, fault = None, {}

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
        self.reply(200, {"count": len(list(self.folder.glob("*.json")))})

    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode(errors="replace")
        if self.path == "/fault":
            Handler.fault = json.loads(text or "{}")
            return self.reply(200, self.fault)
        if self.fault.get("status"):
            return self.reply(self.fault["status"], {"error": "a fault was asked for"})
        with self.lock:
            number = len(list(self.folder.glob("*.json"))) + 1
            kept = {"at": round(time.time(), 3), "method": self.command, "path": self.path,
                    "headers": dict(self.headers.items()), "body": text}
            draft = self.folder / f".{number}"
            draft.write_text(json.dumps(kept, indent=1))
            draft.rename(self.folder / f"{number:04d}.json")
        return self.reply(200, {"ok": True})

    do_PUT = do_POST


if __name__ == "__main__":
    Handler.folder = pathlib.Path(sys.argv[2])
    Handler.folder.mkdir(parents=True, exist_ok=True)
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
