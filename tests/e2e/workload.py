"""A mixed write load that remembers states: pairs of (offset, digest) taken from the source itself, for the oracle.

The digest is DEBUG DIGEST of a real redis-server, taken in one transaction with the replication offset: the state after
exactly so many bytes of the stream.
"""
import random
import threading
import time

from harness import PATIENCE


class Point:
    def __init__(self, replid, offset, digest):
        self.replid, self.offset, self.digest = replid, offset, digest

    def __repr__(self):
        return f"({self.offset}, {self.digest})"


def take_point(client):
    """The source's state now: `client` may be used by nobody else meanwhile."""
    replies = client.pipeline([("MULTI",), ("DEBUG", "DIGEST"), ("INFO", "replication"), ("EXEC",)])
    digest, info = replies[-1]
    fields = dict(line.split(":", 1) for line in info.decode().split("\r\n") if ":" in line)
    return Point(fields["master_replid"], int(fields["master_repl_offset"]), digest)


class Workload:
    """Writes all types, in transactions, scripts and several databases; waits out a source that goes away."""

    def __init__(self, server, seed, rate=1500, point_every=0.5, big=False, keys=400, expiring=False):
        self.server, self.random, self.rate = server, random.Random(seed), rate
        self.point_every, self.big, self.keys, self.expiring = point_every, big, keys, expiring
        self.points, self.acknowledged, self.errors = [], 0, []
        self.stopping, self.pausing, self.paused = threading.Event(), threading.Event(), threading.Event()
        self.job = 0
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def value(self):
        size = self.random.choice((3, 20, 100, 400))
        if self.big and self.random.random() < 0.002:
            size = self.random.randrange(100_000, 1_500_000)
        return self.random.randbytes(size) if self.random.random() < 0.3 else b"%x" % self.random.randrange(16) * size

    def commands(self):
        """One random piece of work, as a list of commands that are sent together."""
        pick = self.random
        self.job += 1
        n = pick.randrange(self.keys)
        kind = pick.randrange(15)
        if kind == 0:
            return [("SET", f"s:{n}", self.value())]
        if kind == 1:
            return [("HSET", f"h:{n}", f"f{pick.randrange(40)}", self.value(), "n", self.job)]
        if kind == 2:
            return [("LPUSH", f"l:{n % 20}", self.value()), ("LTRIM", f"l:{n % 20}", 0, 60)]
        if kind == 3:
            return [("ZADD", f"z:{n % 20}", pick.random(), f"m{pick.randrange(200)}")]
        if kind == 4:
            return [("SADD", f"set:{n % 20}", pick.randrange(500)), ("SPOP", f"set:{(n + 1) % 20}")]
        if kind == 5:
            return [("XADD", f"x:{n % 8}", "MAXLEN", 100, "*", "job", self.job, "v", self.value())]
        if kind == 6:
            return [("DEL", f"s:{n}", f"h:{pick.randrange(self.keys)}")]
        if kind == 7:
            return [("INCRBY", f"c:{n % 30}", pick.randrange(100)), ("APPEND", f"a:{n % 10}", b"x"),
                    ("SETRANGE", f"a:{n % 10}", pick.randrange(200), b"yy")]
        if kind == 8:
            return [("EVAL", "redis.call('INCR', KEYS[1]); return redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])", 2,
                     f"c:{n % 30}", f"h:{n}", f"lua{n % 7}", self.value())]
        if kind == 9:
            return [("SELECT", pick.randrange(1, 10)), ("SET", f"other:{n % 50}", self.value()), ("SELECT", 0)]
        if kind == 10:
            key = f"bull:messages:{self.job}"
            return [("MULTI",), ("HSET", key, "name", "send", "data", self.value()), ("LPUSH", "bull:messages:wait", self.job),
                    ("DEL", f"bull:messages:{self.job - 200}"), ("EXEC",)]
        if kind == 11:
            return [("MULTI",), ("SELECT", 3), ("INCR", "in-multi"), ("SELECT", 0), ("RPOPLPUSH", f"l:{n % 20}", "l:moved"),
                    ("LTRIM", "l:moved", 0, 40), ("EXEC",)]
        if kind == 12:
            # Far enough away that nothing expires while a test compares.
            return [("SET", f"ttl:{n % 40}", self.value(), "EX", 86400 + n), ("PERSIST", f"ttl:{(n + 3) % 40}")]
        if kind == 13 and self.expiring:
            return [("SET", f"soon:{n}", self.value(), "PX", pick.randrange(50, 3000))]
        return [("PFADD", f"hll:{n % 5}", self.job), ("SETBIT", f"b:{n % 5}", n, 1), ("GETSET", f"s:{n}", self.value())]

    def work(self):
        while not self.stopping.is_set():
            try:
                self.work_connected()
            except (OSError, ConnectionError, RuntimeError, ValueError, AttributeError, TypeError) as error:
                self.errors.append(error)
                self.paused.set()
                time.sleep(0.05)
        self.paused.set()

    def work_connected(self):
        client = self.server.client()
        next_point = time.monotonic()
        try:
            while not self.stopping.is_set():
                if self.pausing.is_set():
                    self.paused.set()
                    time.sleep(0.01)
                    continue
                started = time.monotonic()
                batch, budget = [], max(1, self.rate // 40)
                while len(batch) < budget:
                    batch += self.commands()
                client.pipeline(batch)
                self.acknowledged += len(batch)
                if self.point_every and time.monotonic() >= next_point:
                    self.points.append(take_point(client))
                    next_point = time.monotonic() + self.point_every
                time.sleep(max(0.0, 0.025 - (time.monotonic() - started)))
        finally:
            client.close()

    def pause(self):
        """Returns once nothing more is being sent."""
        self.paused.clear()
        self.pausing.set()
        assert self.paused.wait(PATIENCE), "the load does not pause"

    def resume(self):
        self.pausing.clear()

    def enough(self, points=3):
        """Returns once so many points have been taken: on a slow machine that is later."""
        deadline = time.monotonic() + PATIENCE
        while len(self.points) < points:
            assert time.monotonic() < deadline, f"only {len(self.points)} points: {self.errors[-3:]}"
            time.sleep(0.02)

    def stop(self):
        self.stopping.set()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive(), "the load does not end"
        return self.acknowledged
