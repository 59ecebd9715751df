"""A bad client: it damages a few keys now and then, and nothing stops. Each damage is noted with its time."""
import json
import random
import time

from redis_wire import RedisError

# name: what it does
KINDS = ("wrong-type", "missing-hash", "negative-counter", "no-expiry", "garbage-json")


class Damage:
    def __init__(self, client, queue, seed):
        self.client, self.queue = client, queue  # queue: its key prefix, "bull:NAME:"
        self.random = random.Random(seed)

    def one_of(self, pattern):
        keys = self.client.scan(pattern)
        return self.random.choice(keys) if keys else None

    def delayed_job(self):
        """One that is not due within a minute: its damage stays unseen. The score is the due time in ms, times 4096."""
        ids = self.client("ZRANGEBYSCORE", self.queue + "delayed", round((time.time() + 60) * 1000) * 4096, "+inf")
        found = [job for job in ids if self.client("EXISTS", self.queue + job)]
        return self.queue + self.random.choice(found) if found else None

    def do(self, kind):
        """The key that was damaged, or None where there was nothing to damage."""
        if kind == "wrong-type":
            key = self.one_of("analytics:whatsapp:message:*")
            if key:
                self.client("SET", key, "[object Object]")
        elif kind == "missing-hash":  # its id stays in the list: the message is never sent, and nobody is told
            key = self.delayed_job()
            if key:
                self.client("DEL", key)
        elif kind == "negative-counter":
            key = "analytics:whatsapp:sent:total"
            self.client("DECRBY", key, 1000000)
        elif kind == "no-expiry":
            key = self.one_of("analytics:whatsapp:sent:phone:*")
            if key:
                self.client("PERSIST", key)
        elif kind == "garbage-json":
            key = self.delayed_job()
            if key:
                self.client("HSET", key, "data", '{"recipientPhone": undefined')
        else:
            raise ValueError(f"there is no damage {kind}: {', '.join(KINDS)}")
        return key


def corrupt(client, queue, note, seconds, every=0.5, kinds=KINDS, seed=1):
    """Damages for `seconds`, each kind in turn, and notes {at, kind, key} to the open file `note`. Returns them."""
    damage = Damage(client, queue, seed)
    done = []
    deadline = time.monotonic() + seconds
    client("CLIENT", "SETNAME", "nightly-cleanup")
    while not done or time.monotonic() < deadline:
        kind = kinds[len(done) % len(kinds)]
        try:
            key = damage.do(kind)
        except RedisError as error:  # it was damaged before
            key = None
            done.append({"at": time.time(), "kind": kind, "key": None, "error": str(error)})
        else:
            done.append({"at": time.time(), "kind": kind, "key": key})
        note.write(json.dumps(done[-1]) + "\n")
        note.flush()
        time.sleep(every)
    return [entry for entry in done if entry["key"]]
