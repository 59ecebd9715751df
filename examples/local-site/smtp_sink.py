#!/usr/bin/python3
"""Takes every mail and keeps it as a file, NNNN.eml, with its envelope on top: X-Sink-From, X-Sink-To.

Usage: smtp_sink.py PORT DIR        Needs Debian's python3-aiosmtpd, hence Debian's own Python.
"""
import pathlib
import sys
import threading

from aiosmtpd.controller import Controller


class Sink:
    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.count = len(list(folder.glob("*.eml")))

    async def handle_DATA(self, _server, _session, envelope):
        self.count += 1
        head = f"X-Sink-From: {envelope.mail_from}\r\nX-Sink-To: {', '.join(envelope.rcpt_tos)}\r\n".encode()
        draft = self.folder / f".{self.count}"
        draft.write_bytes(head + envelope.original_content)
        draft.rename(self.folder / f"{self.count:04d}.eml")
        return "250 kept"


if __name__ == "__main__":
    Controller(Sink(pathlib.Path(sys.argv[2])), hostname="127.0.0.1", port=int(sys.argv[1])).start()
    threading.Event().wait()
