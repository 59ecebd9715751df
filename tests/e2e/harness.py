"""Real redis-servers, a real anclora, temporary folders: what every end-to-end test starts from.

Everything listens on loopback, lives in a temporary folder, and is stopped by process id when the test ends, however it
ends.
"""
import contextlib
import errno
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from proxy import Proxy


# How long a test waits for what must come. It costs nothing where it comes, so it is far more than a slow machine takes.
PATIENCE = 150

# Ports for tests, below those that the system gives to clients and those that local sites and S3 gateways look for.
FIRST_PORT, LAST_PORT = 5000, 10900
held_ports = []  # what keeps this process's ports from others


def hold_ports(name, ports):
    """Whether nobody holds the name, nor listens on one of the ports; then this process holds the name until it ends."""
    holder = socket.socket(socket.AF_UNIX)
    try:
        holder.bind(f"\0anclora-test-{name}")
        for port in ports:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
    except OSError as error:
        holder.close()
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    held_ports.append(holder)
    return True


def free_port(with_bus=False):
    """A loopback port that belongs to this process until it ends, also while nothing listens on it.

    No other test is given it (each holds a name for it, as src/redis/testing/redis_server.cc does), and no client's own
    end of a connection gets it: a server that is killed can come back on it. `with_bus`: the port 10,000 above is free too.
    """
    for _ in range(10000):
        port = random.SystemRandom().randint(FIRST_PORT, LAST_PORT)
        if hold_ports(f"port-{port}", [port, port + 10000] if with_bus else [port]):
            return port
    raise RuntimeError("no free loopback port")


def free_block():
    """The first of ten ports in a row, for a local site; they belong to this process as free_port()'s do."""
    for _ in range(10000):
        first = random.SystemRandom().randrange(11000, 31000, 10)
        if hold_ports(f"block-{first}", range(first, first + 10)):
            return first
    raise RuntimeError("no ten free loopback ports")


class Resp:
    """A small RESP2 client: enough for tests, independent of the product's own."""

    def __init__(self, port, timeout=PATIENCE):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.file = self.socket.makefile("rb")

    @staticmethod
    def encode(*args):
        parts = [b"*%d\r\n" % len(args)]
        for arg in args:
            data = arg if isinstance(arg, bytes) else str(arg).encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
        return b"".join(parts)

    def __call__(self, *args):
        self.socket.sendall(self.encode(*args))
        reply = self.read()
        if isinstance(reply, Exception):
            raise reply
        return reply

    def pipeline(self, commands):
        """Sends all, reads all; returns the replies (errors as exceptions in the list)."""
        self.socket.sendall(b"".join(self.encode(*c) for c in commands))
        return [self.read() for _ in commands]

    def read(self):
        line = self.file.readline()
        if not line:
            raise ConnectionError("the server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return RuntimeError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            size = int(rest)
            return None if size < 0 else self.file.read(size + 2)[:-2]
        if kind == b"*":
            return [self.read() for _ in range(int(rest))]
        raise ValueError(f"unexpected reply {line!r}")

    def info(self):
        text = self("INFO").decode()
        return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)

    def close(self):
        self.file.close()
        self.socket.close()


class RedisServer:
    def __init__(self, folder, *options, port=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.options = options
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", "",
             "--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0", *self.options],
            stdout=open(self.folder / "redis.log", "ab"), stderr=subprocess.STDOUT)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, ConnectionError):
                client = Resp(self.port)
                reply = client.pipeline([("PING",)])[0]
                client.close()
                if reply == "PONG" or "NOAUTH" in str(reply):
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError("redis-server did not start: " + (self.folder / "redis.log").read_text()[-2000:])

    def client(self, **kwargs):
        return Resp(self.port, **kwargs)

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def digest(self):
        client = self.client(timeout=600)
        try:
            return client("DEBUG", "DIGEST")
        finally:
            client.close()


class Tmpfs:
    def __init__(self, path, size):
        self.path = path
        path.mkdir(parents=True)
        self.mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path))

    def mount(self, *args):
        done = subprocess.run(["mount", *args], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError("this test needs the right to mount a tmpfs (root, CAP_SYS_ADMIN): " + done.stderr.strip())

    def resize(self, size):
        self.mount("-o", f"remount,size={size}", str(self.path))

    def read_only(self, read_only=True):
        self.mount("-o", "remount," + ("ro" if read_only else "rw"), str(self.path))

    def free(self):
        status = os.statvfs(self.path)
        return status.f_bavail * status.f_frsize

    def unmount(self):
        subprocess.run(["umount", "-l", str(self.path)], check=False, capture_output=True)


class Outcome:
    def __init__(self, completed):
        self.code = completed.returncode
        self.out = completed.stdout
        self.err = completed.stderr

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.code}\nstdout: {self.out[-3000:]}\nstderr: {self.err[-3000:]}"


class Witness:
    """How much time this machine did not give while a test measured: a process that sleeps, computes and syncs a little
    all the while, and adds up what came late. A promise in seconds is one of a machine that has them: `limit(3)` is 3 s
    where nothing came late, and ten times what did more."""

    PROGRAM = """import os, select, sys, time
file, lost = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY), 0.0
print("ready", flush=True)
while True:
    began, used = time.monotonic(), time.process_time()
    told = select.select([0], [], [], 0.03)[0]
    while time.process_time() - used < 0.01:
        pass
    os.pwrite(file, b"x", 0)
    os.fsync(file)
    lost += max(0.0, time.monotonic() - began - 0.047)
    if told:
        break
print(lost)
"""

    def __init__(self, folder):
        self.process = subprocess.Popen([sys.executable, "-c", self.PROGRAM, str(folder / "witness")], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lost = None
        assert self.process.stdout.readline() == "ready\n"

    def limit(self, seconds):
        if self.lost is None:
            self.lost = float(self.process.communicate("done\n", timeout=PATIENCE)[0])
        return seconds + 10 * self.lost


class World:
    """One test's world: a folder, servers, captures; everything is gone when the with-block ends."""

    def __init__(self, anclora):
        self.anclora = str(pathlib.Path(anclora).resolve())

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="anclora-e2e-"))
        self.seed = int(os.environ.get("ANCLORA_TEST_SEED", "1"))
        self.cleanups = []
        self.passphrase = self.folder / "passphrase"
        self.passphrase.write_text("correct horse battery staple\n")
        self.servers, self.processes = [], []
        self.environment = dict(os.environ, ANCLORA_PASSPHRASE_FILE=str(self.passphrase),
                                ANCLORA_STATE_DIR=str(self.folder / "state"))
        return self

    def __exit__(self, *_):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        for server in self.servers:
            server.kill()
        for cleanup in reversed(self.cleanups):
            cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)

    def logs(self):
        """The end of what every process of this world wrote: for the report of a failure."""
        return "".join(f"--- {path.name}\n{path.read_text(errors='replace')[-1500:]}\n"
                       for path in sorted(self.folder.glob("*.log")))

    def witness(self):
        witness = Witness(self.folder)
        self.processes.append(witness.process)
        return witness

    def proxy(self, target_port, **settings):
        proxy = Proxy(target_port, **settings)
        self.cleanups.append(proxy.close)
        return proxy

    def tmpfs(self, name, size):
        """A small file system of its own: full disks, read-only disks. Needs the right to mount."""
        disk = Tmpfs(self.folder / name, size)
        self.cleanups.append(disk.unmount)
        return disk

    def redis(self, name, *options, port=None):
        server = RedisServer(self.folder / name, *options, port=port)
        self.servers.append(server)
        return server

    def run(self, *args, timeout=600, check=True, env=None):
        completed = subprocess.run([self.anclora, *map(str, args)], capture_output=True, text=True, timeout=timeout,
                                   env=dict(self.environment, **(env or {})), stdin=subprocess.DEVNULL)
        outcome = Outcome(completed)
        if check and outcome.code != 0:
            raise AssertionError(f"anclora {' '.join(map(str, args))}: {outcome!r}")
        return outcome

    def spawn(self, *args, log="spawned.log", env=None):
        process = subprocess.Popen([self.anclora, *map(str, args)], stdout=open(self.folder / log, "ab"),
                                   stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                   env=dict(self.environment, **(env or {})))
        self.processes.append(process)
        return process

    def init(self, repo, *options):
        self.run("init", repo, *options)
        return str(repo)

    def capture(self, repo, source, *options, log="capture.log"):
        return self.spawn("capture", "--source", source.url, "--repo", repo, *options, log=log)

    def restored_digest(self, repo, at="latest", target=None, *options):
        """Restores into `target` (emptied first) and returns its digest as the restored state: nothing expires in it."""
        if target is None:
            target = self.redis(f"target-{len(self.servers)}")
        client = target.client()
        client.pipeline([("DEBUG", "SET-ACTIVE-EXPIRE", 0), ("FLUSHALL",)])
        client.close()
        self.run("restore", "--repo", repo, "--at", at, "--to", target.url, *options)
        return target.digest()

    def wait_for(self, what, condition, timeout=PATIENCE, every=0.1):
        """Waits until condition() is true, and returns what it was."""
        deadline = time.monotonic() + timeout
        while True:
            value = condition()
            if value:
                return value
            assert time.monotonic() < deadline, f"{what}: not within {timeout} s\n{self.logs()}"
            time.sleep(every)

    def status(self, repo, name="default"):
        sources = self.run("status", "--repo", repo, "--json").json()["sources"]
        return next((source for source in sources if source["name"] == name), None)

    def wait_protected(self, repo, offset, name="default", timeout=PATIENCE):
        """Waits until protected up to reaches `offset`; returns the status."""
        deadline = time.monotonic() + timeout
        status = None
        while time.monotonic() < deadline:
            status = self.status(repo, name)
            if status and status["protected_offset"] is not None and status["protected_offset"] >= offset:
                return status
            time.sleep(0.05)
        raise AssertionError(f"not protected up to {offset} within {timeout} s: {status}\n{self.logs()}")


class Load:
    """A steady job-queue-shaped write load in a thread; stop() returns how many commands were acknowledged."""

    def __init__(self, server, rate=2000, payload=400):
        self.server, self.rate, self.payload = server, rate, payload
        self.stopping = threading.Event()
        self.acknowledged = 0
        self.error = None
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        try:
            client = self.server.client()
            job = 0
            while not self.stopping.is_set():
                started = time.monotonic()
                commands = []
                for _ in range(max(1, self.rate // 80)):
                    job += 1
                    key = f"bull:messages:{job}"
                    commands.append(("MULTI",))
                    commands.append(("HSET", key, "name", "send", "data", "x" * self.payload, "timestamp", job))
                    commands.append(("LPUSH", "bull:messages:wait", job))
                    commands.append(("EXEC",))
                    if job > 50:
                        commands.append(("DEL", f"bull:messages:{job - 50}"))
                        commands.append(("LREM", "bull:messages:wait", 1, job - 50))
                client.pipeline(commands)
                self.acknowledged += len(commands)
                time.sleep(max(0.0, 0.05 - (time.monotonic() - started)))
        except (OSError, ConnectionError) as error:
            self.error = error

    def stop(self):
        self.stopping.set()
        self.thread.join()
        return self.acknowledged


class S3:
    """A Ceph RADOS Gateway on loopback with one bucket: `with S3(world) as s3`, then repositories at s3.url("name")."""

    script = pathlib.Path(__file__).resolve().parent.parent / "s3" / "rgw.sh"

    def __init__(self, world, bucket="anclora-test"):
        self.folder, self.port, self.bucket = world.folder / f"rgw-{bucket}", free_port(), bucket
        self.world = world

    def run(self, *args):
        subprocess.run(["bash", str(self.script), *map(str, args)], check=True, stdout=subprocess.DEVNULL, timeout=300)

    def __enter__(self):
        try:
            self.run("start", self.folder, self.port)
            subprocess.run(["curl", "-sf", "-X", "PUT", "--user", "anclora-test-key:anclora-test-secret", "--aws-sigv4",
                            "aws:amz:us-east-1:s3", "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD",
                            f"http://127.0.0.1:{self.port}/{self.bucket}"], check=True, stdout=subprocess.DEVNULL)
        except Exception:
            self.__exit__()
            raise
        self.world.environment.update({"AWS_ACCESS_KEY_ID": "anclora-test-key", "AWS_SECRET_ACCESS_KEY": "anclora-test-secret",
                                       "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
                                       "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{self.port}"})
        return self

    def __exit__(self, *_):
        subprocess.run(["bash", str(self.script), "stop", str(self.folder)], check=False, stdout=subprocess.DEVNULL)

    def url(self, name):
        return f"s3://{self.bucket}/{name}"

    def kill_gateway(self):
        self.run("kill", self.folder)

    def start_gateway(self):
        self.run("revive", self.folder)
