"""A small Redis client over the standard library: what the local site needs, and nothing of the product."""
import socket
from urllib.parse import unquote, urlsplit


class RedisError(Exception):
    pass


class RedisWire:
    def __init__(self, url, timeout=30):
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port or 6379), timeout=timeout)
        self.file = self.socket.makefile("rb")
        if parts.password:
            user = [unquote(parts.username)] if parts.username else []
            self("AUTH", *user, unquote(parts.password))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def __call__(self, *words):
        pieces = [b"*%d\r\n" % len(words)]
        for word in words:
            data = word if isinstance(word, bytes) else str(word).encode()
            pieces.append(b"$%d\r\n%s\r\n" % (len(data), data))
        self.socket.sendall(b"".join(pieces))
        reply = self.read()
        if isinstance(reply, RedisError):
            raise reply
        return reply

    def read(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return RedisError(rest.decode(errors="replace"))
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2].decode(errors="replace")
        if kind == b"*":
            return None if rest == b"-1" else [self.read() for _ in range(int(rest))]
        raise ConnectionError(f"no reply of Redis: {line!r}")

    def scan(self, pattern):
        """Every key of a pattern, sorted."""
        keys, cursor = set(), "0"
        while True:
            cursor, found = self("SCAN", cursor, "MATCH", pattern, "COUNT", 500)
            keys.update(found)
            if cursor == "0":
                return sorted(keys)
