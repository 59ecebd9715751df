"""kill -9 of everything at random under load, and the proof afterwards: the engine of test_kill_loop and scripts/kill-loop."""
import random
import time

from harness import PATIENCE
from workload import Workload


def offset_of(server):
    client = server.client()
    try:
        return int(client.info()["master_repl_offset"])
    finally:
        client.close()


class KillLoop:
    """One source, one repository, one capture that is killed again and again."""

    def __init__(self, world, repo, seed, *capture_options, say=lambda text: None, gateway=None):
        self.world, self.repo, self.random, self.say = world, repo, random.Random(seed), say
        self.options, self.gateway = capture_options, gateway
        self.source = world.redis("source", "--repl-backlog-size", "256mb", "--appendonly", "yes", "--appendfsync", "no")
        self.load = Workload(self.source, seed, rate=1500, big=True, point_every=0.4)
        self.target = world.redis("target")
        self.captures = self.gateway_kills = self.restore_kills = 0
        self.proven = []  # (timeline, point), restored once already
        self.capture = None
        self.start_capture()

    def start_capture(self):
        self.capture = self.world.capture(self.repo, self.source, *self.options, log="capture.log")

    def kill_capture(self):
        code = self.capture.poll()
        assert code is None, f"capture ended by itself with {code}\n{self.world.logs()}"
        self.capture.kill()
        self.capture.wait()
        self.captures += 1

    def cycle(self):
        """Lets capture live for a moment (now and then long enough to get ahead), then kills it; starts it again."""
        lives = self.random.uniform(0.05, 0.6) if self.random.random() < 0.85 else self.random.uniform(1, 3)
        if self.gateway and self.random.random() < 0.1:
            self.gateway.kill_gateway()
            time.sleep(lives)
            self.kill_capture()
            self.start_capture()
            time.sleep(self.random.uniform(0, 2))
            self.gateway.start_gateway()
            self.gateway_kills += 1
            return
        if self.random.random() < 0.05:
            self.kill_a_restore()
        time.sleep(lives)
        self.kill_capture()
        self.start_capture()

    def kill_a_restore(self):
        """A restore dies at any moment: the repository must not care."""
        to = self.random.choice([self.target.url, f"dir:{self.world.folder}/dir-{self.restore_kills}"])
        restore = self.world.spawn("restore", "--repo", self.repo, "--to", to, log="restore.log")
        time.sleep(self.random.uniform(0.02, 1.0))
        restore.kill()
        restore.wait()
        self.restore_kills += 1
        client = self.target.client()
        client.pipeline([("REPLICAOF", "NO", "ONE"), ("FLUSHALL",)])
        client.close()

    def prove(self, losses=0, count=5):
        """Quiet now: no gap but where the source was lost, the newest state is the source's, remembered points hold."""
        self.load.resume()

        def enough():  # on a slow machine no capture may have lived long enough for a base so far
            status = self.world.status(self.repo)
            windows = status["windows"] if status else []
            return windows and sum(point.offset > windows[-1]["from"]["offset"] for point in self.load.points) >= count
        self.world.wait_for(f"{count} points behind the first base", enough, every=0.5)
        self.load.pause()
        status = self.world.wait_protected(self.repo, offset_of(self.source))
        windows, gaps = status["windows"], status["gaps"]
        assert len(windows) == losses + 1, status
        # Each gap leads from the end of one window to the start of the next, however many first bases were cut between.
        edges = [(before["to"]["position"], after["from"]["position"]) for before, after in zip(windows, windows[1:])]
        assert [(gap["before"]["position"], gap["after"]["position"]) for gap in gaps] == edges, status
        assert self.world.restored_digest(self.repo, "latest", self.target) == self.source.digest(), "latest differs"
        timeline = status["protected_timeline"]
        start = status["windows"][-1]["from"]["offset"]  # what came before the first complete base was never promised
        points, self.load.points = [point for point in self.load.points if point.offset > start], []
        assert len(points) >= count, f"only {len(points)} points"
        for point in self.random.sample(points, count):
            self.prove_point(timeline, point)
            self.proven.append((timeline, point))
        return status

    def prove_point(self, timeline, point):
        restored = self.world.restored_digest(self.repo, f"offset:{timeline}/{point.offset}", self.target)
        assert restored == point.digest, f"offset:{timeline}/{point.offset}: {restored} instead of {point.digest}"

    def lose_the_source(self):
        """kill -9 under load; it comes back from its append-only file, with a history of its own: a gap is due."""
        self.load.resume()
        time.sleep(self.random.uniform(0.2, 1.5))
        self.source.kill()
        self.load.points.clear()
        self.source.start()
        self.load.points.clear()

    def finish(self):
        self.load.stop()
        self.capture.terminate()
        assert self.capture.wait(PATIENCE) == 0, self.world.logs()
        self.world.run("verify", "--repo", self.repo)
