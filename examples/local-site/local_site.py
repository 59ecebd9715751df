"""One folder with a whole service in it: Redis servers, a supervisor with the service's instances, provider, sinks, traffic.

Everything listens on loopback. Every process carries ANCLORA_SITE_PROCESS=FOLDER in its environment, so it is found and
stopped by its process id even when what started it is gone.
"""
import contextlib
import http.client
import json
import os
import pathlib
import random
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time

from redis_wire import RedisError, RedisWire

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SERVICE = HERE.parent / "whatsapp-service"
MARK = "ANCLORA_SITE_PROCESS"
SERVERS = ("primary", "replica", "new")
QUEUE, PREFIX = "whatsapp-messages", "bull"
PORTS = 10


class SiteError(Exception):
    pass


def free_block(count):
    """The first of `count` free ports in a row, below those that the system gives to clients."""
    for _ in range(200):
        base = random.randrange(11000, 31000)
        with contextlib.ExitStack() as stack:
            try:
                for port in range(base, base + count):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
                return base
            except OSError:
                continue
    raise SiteError("no free ports were found")


def get_json(url_port, path, timeout=2):
    connection = http.client.HTTPConnection("127.0.0.1", url_port, timeout=timeout)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    finally:
        connection.close()


def marked(pid, folder):
    """Is it a process of the site: by the mark, or a redis-server that works on the site's data (whoever started it)."""
    proc = pathlib.Path("/proc") / str(pid)
    if f"{MARK}={folder}".encode() in (proc / "environ").read_bytes().split(b"\0"):
        return True
    return (proc / "comm").read_text().strip() == "redis-server" and \
        folder / "redis" in pathlib.Path(os.readlink(proc / "cwd")).parents


class LocalSite:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        self.settings_file = self.folder / "site.json"
        self.settings = json.loads(self.settings_file.read_text()) if self.settings_file.exists() else None

    # ---- what is where

    def need_settings(self):
        if not self.settings:
            raise SiteError(f"{self.folder}: there is no site here: site start {self.folder}")
        return self.settings

    def url(self, server):
        return f"redis://127.0.0.1:{self.settings['ports'][server]}"

    def server_folder(self, server):
        return self.folder / "redis" / server

    def environment(self):
        """What plans and tests name: written to site.env."""
        ports, group = self.settings["ports"], self.settings["groups"]
        values = {"DIR": self.folder, "SITE": HERE / "site"}
        for server, name in (("primary", "REDIS"), ("replica", "REPLICA"), ("new", "NEW_REDIS")):
            values |= {f"{name}_URL": self.url(server), f"{name}_DIR": self.server_folder(server)}
        values |= {
            "QUEUE": QUEUE, "QUEUE_PREFIX": PREFIX,
            "CONFIG_FILE": self.folder / "service.env", "TRAFFIC_FILE": self.folder / "traffic.env",
            "SUPERVISOR_CONF": self.folder / "supervisord.conf",
            "API_URL": f"http://127.0.0.1:{group['blue'][0]}", "API_URL_2": f"http://127.0.0.1:{group['blue'][1]}",
            "GREEN_API_URL": f"http://127.0.0.1:{group['green'][0]}",
            "API_KEY": (self.folder / "api-key").read_text().strip(), "API_KEY_FILE": self.folder / "api-key",
            "PROVIDER_URL": f"http://127.0.0.1:{ports['provider']}",
            "SMTP": f"smtp://127.0.0.1:{ports['smtp']}", "SMTP_HOST": "127.0.0.1", "SMTP_PORT": ports["smtp"],
            "MAIL_DIR": self.folder / "mail",
            "WEBHOOK": f"http://127.0.0.1:{ports['webhook']}/hook", "WEBHOOK_DIR": self.folder / "webhooks",
            "REPO": self.folder / "repo", "PASSPHRASE_FILE": self.folder / "passphrase",
        }
        return {f"ANCLORA_LOCAL_{name}": str(value) for name, value in values.items()}

    # ---- processes

    def processes(self):
        """{pid: command line} of everything that the site started and that still runs."""
        found = {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                if marked(entry, self.folder):
                    command = pathlib.Path(f"/proc/{entry}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    if command:  # not one that has ended and was not collected yet
                        found[int(entry)] = command.strip()
        return found

    def spawn(self, log, *command):
        with open(self.folder / "logs" / f"{log}.log", "ab") as output:
            return subprocess.Popen([str(word) for word in command], stdout=output, stderr=output, stdin=subprocess.DEVNULL,
                                    start_new_session=True, cwd=self.folder, env=dict(os.environ, **{MARK: str(self.folder)}))

    def kill_all(self, wanted=None):
        """kill -9 of everything (or of those commands that `wanted` accepts), until none is left: a supervisor that is
        not dead yet starts its children anew."""
        deadline = time.monotonic() + 60
        while True:
            left = {pid: command for pid, command in self.processes().items() if wanted is None or wanted(command)}
            if not left:
                return
            if time.monotonic() > deadline:
                raise SiteError(f"these do not end: {left}")
            for pid in sorted(left):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)

    def supervisorctl(self, *words, check=True):
        done = subprocess.run(["supervisorctl", "-c", str(self.folder / "supervisord.conf"), *words], capture_output=True,
                              text=True, timeout=120, check=False)
        if check and done.returncode != 0:
            raise SiteError(f"supervisorctl {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def wait(self, what, condition, timeout=120):
        deadline = time.monotonic() + timeout
        while True:
            with contextlib.suppress(OSError, RedisError, ValueError, http.client.HTTPException):
                if condition():
                    return
            if time.monotonic() > deadline:
                raise SiteError(f"{what}: not within {timeout} s; see {self.folder}/logs")
            time.sleep(0.05)

    # ---- Redis

    def write_redis_conf(self, server):
        folder = self.server_folder(server)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        lines = ["bind 127.0.0.1", f"port {self.settings['ports'][server]}", f"dir {shlex.quote(str(folder))}", 'save ""',
                 "set-proc-title no",  # a title is written over the environment, where the mark is
                 "appendonly yes", "appendfsync everysec", "maxmemory-policy noeviction", "repl-backlog-size 16mb",
                 "repl-diskless-sync-delay 0", "enable-debug-command local", f"logfile {shlex.quote(str(folder / 'redis.log'))}"]
        if server == "replica":
            lines += [f"replicaof 127.0.0.1 {self.settings['ports']['primary']}", "replica-priority 10",
                      "replica-read-only yes", "replica-serve-stale-data yes"]
        (folder / "redis.conf").write_text("\n".join(lines) + "\n")

    def start_redis(self, server):
        self.spawn(server, "redis-server", self.server_folder(server) / "redis.conf")

        def answers():
            with RedisWire(self.url(server), timeout=1) as client:
                return client("PING") == "PONG"
        self.wait(f"redis-server {server}", answers)

    # ---- the rest

    def write_files(self):
        settings = self.settings
        (self.folder / "service.env").write_text(
            "# Read by an instance when it starts.\n"
            f"REDIS_URL={self.url('primary')}\nQUEUE_NAME={QUEUE}\nQUEUE_PREFIX={PREFIX}\n"
            f"PROVIDER_URL=http://127.0.0.1:{settings['ports']['provider']}/message\n"
            "LIMIT_MAX=0\nLOCK_MS=5000\nSTALLED_MS=5000\n")
        (self.folder / "traffic.env").write_text("ACTIVE=blue\n")
        for name, value in (("api-key", secrets.token_hex(16)), ("passphrase", secrets.token_hex(16))):
            file = self.folder / name
            file.touch(mode=0o600)
            file.write_text(value + "\n")
        values = self.environment()
        (self.folder / "site.env").touch(mode=0o600)
        (self.folder / "site.env").write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items()))
        self.write_supervisor_conf()

    def write_supervisor_conf(self):
        folder, ports = self.folder, self.settings["ports"]
        socket_path = folder / "supervisor.sock"
        if len(str(socket_path)) > 90:
            raise SiteError(f"{folder}: a path too long for a socket; take a shorter one")

        def program(name, command, extra, startsecs=1):
            return (f"\n[program:{name}]\ncommand={command.replace('%', '%%')}\ndirectory={folder}\nautorestart=true\nstartsecs={startsecs}\n"
                    f"startretries=10\nredirect_stderr=true\nstdout_logfile={folder}/logs/%(program_name)s-%(process_num)d.log\n"
                    f"stopasgroup=false\nkillasgroup=true\nprocess_name=%(program_name)s-%(process_num)d\n{extra}")

        def python(script, *words):
            return " ".join(["/usr/bin/python3" if script == "smtp_sink.py" else sys.executable,
                             *(shlex.quote(str(word)) for word in (HERE / script, *words))])
        text = (f"[unix_http_server]\nfile={socket_path}\nchmod=0700\n\n"
                f"[supervisord]\nlogfile={folder}/logs/supervisord.log\npidfile={folder}/supervisord.pid\nchildlogdir={folder}/logs\n"
                f"directory={folder}\nnodaemon=true\nsilent=true\n\n"
                "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n\n"
                f"[supervisorctl]\nserverurl=unix://{socket_path}\n")
        for group in ("blue", "green"):
            text += program(f"whatsapp-{group}", f"node {shlex.quote(str(SERVICE))}/server.js",
                            f"numprocs=2\nautostart={'true' if group == 'blue' else 'false'}\nstopwaitsecs=15\n"
                            f'environment=CONFIG_FILE="{folder}/service.env",API_KEY_FILE="{folder}/api-key",'
                            f'PORT="{self.settings["groups"][group][0]}",INSTANCE="%(process_num)d"\n',
                            startsecs=0)  # whether it serves its health and the canary say, not that a second has passed
        text += program("provider", python("provider.py", ports["provider"], folder / "sent.jsonl"), "")
        text += program("webhook", python("webhook_sink.py", ports["webhook"], folder / "webhooks"), "")
        text += program("smtp", python("smtp_sink.py", ports["smtp"], folder / "mail"), "")
        text += program("traffic", python("traffic.py", folder), "autostart=false\n")
        (folder / "supervisord.conf").write_text(text)

    def instances_ready(self):
        return all(get_json(port, "/health")[0] == 200 for port in self.settings["groups"]["blue"])

    def start(self, rate=10.0, traffic=True, guard=None, first_port=None):
        """A fresh site, on the same ports as before when there was one in this folder."""
        for program in ("redis-server", "supervisord", "supervisorctl", "node", "npm"):
            if shutil.which(program) is None:
                raise SiteError(f"{program} is not installed: scripts/install-dependencies demo")
        subprocess.run([str(ROOT / "scripts" / "install-node-packages"), str(SERVICE)], check=True)
        if self.settings:
            self.stop()
        elif self.folder.exists() and any(self.folder.iterdir()):
            raise SiteError(f"{self.folder}: not empty, and no site")
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("redis", "logs", "mail", "webhooks", "repo", "state"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for file in [*self.folder.glob("*.jsonl"), *self.folder.glob("supervisor*")]:
            file.unlink()
        (self.folder / "logs").mkdir()
        if not self.settings:
            base = first_port or free_block(PORTS)
            self.settings = {"ports": {name: base + index for index, name in
                                       enumerate([*SERVERS, "provider", "smtp", "webhook"])},
                             "groups": {"blue": [base + 6, base + 7], "green": [base + 8, base + 9]}}
        self.settings["rate"] = rate
        self.settings_file.write_text(json.dumps(self.settings, indent=1))
        try:
            self.write_files()
            for server in SERVERS:
                self.write_redis_conf(server)
                self.start_redis(server)
            self.spawn("supervisord.out", "supervisord", "-c", self.folder / "supervisord.conf")
            self.wait("the service", self.instances_ready)
            self.wait("the provider", lambda: get_json(self.settings["ports"]["provider"], "/stats")[0] == 200)
            self.wait("the webhook sink", lambda: get_json(self.settings["ports"]["webhook"], "/count")[0] == 200)
            self.wait("the mail sink", self.mail_answers)
            self.wait("the replica", self.replica_follows)
            self.mark()
            if traffic:
                self.supervisorctl("start", "traffic:*")
            if guard:
                self.spawn("guard", sys.executable, HERE / "site", "guard", self.folder, guard)
        except BaseException:
            self.kill_all()
            raise

    def mail_answers(self):
        with socket.create_connection(("127.0.0.1", self.settings["ports"]["smtp"]), timeout=1) as connection:
            return connection.recv(3) == b"220"

    def replica_follows(self):
        with RedisWire(self.url("replica")) as client:
            role = client("ROLE")
            return role[0] == "slave" and role[3] == "connected"

    def stop(self):
        """The instances finish what they have; then nothing of the site runs any more. The files stay."""
        self.need_settings()
        running = self.processes()
        for pid, command in running.items():
            if "/supervisord" in command and " -c " in command:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
                deadline = time.monotonic() + 20
                while pid in self.processes() and time.monotonic() < deadline:
                    time.sleep(0.05)
        self.kill_all()

    def guard(self, pid):
        """Stops the site when process `pid` has ended: a test that was killed leaves nothing behind."""
        def born():
            with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                return file.read().rpartition(")")[2].split()[19]
            return None
        first = born()
        while first and born() == first:
            time.sleep(0.5)
        self.kill_all()

    # ---- what happens to it

    def lose_redis(self):
        """kill -9 of the primary, and its data is deleted."""
        conf = str(self.server_folder("primary") / "redis.conf")
        port = f"127.0.0.1:{self.need_settings()['ports']['primary']}"
        self.kill_all(lambda command: command.startswith("redis-server") and (conf in command or port in command))
        for entry in self.server_folder("primary").iterdir():
            if entry.name not in ("redis.conf", "redis.log"):
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def revive(self):
        """The lost primary comes back by itself, empty: as a machine that boots after the incident."""
        self.need_settings()
        self.start_redis("primary")

    def serving_url(self):
        """The server whose data count: the configured one when it answers, else the one with the most keys; None: none."""
        def keys(url):
            with contextlib.suppress(OSError, RedisError), RedisWire(url, timeout=1) as client:
                return client("DBSIZE")
            return -1
        if keys(self.current_redis_url()) > 0:
            return self.current_redis_url()
        best = max((self.url(server) for server in SERVERS), key=keys)
        return best if keys(best) > 0 else None

    def restart_redis(self, server):
        """Killed, wiped, and begun afresh with the settings of the start."""
        folder = str(self.server_folder(server))
        port = f"127.0.0.1:{self.settings['ports'][server]}"
        self.kill_all(lambda command: command.startswith("redis-server") and (f"{folder}/" in command or port in command))
        self.write_redis_conf(server)
        self.start_redis(server)

    def fill_from(self, server, url):
        """`server` copies all of `url`, and is a primary then."""
        def caught_up():
            with RedisWire(self.url(server), timeout=1) as copy, RedisWire(url, timeout=1) as origin:
                role, source = copy("ROLE"), origin("ROLE")
                return role[0] == "slave" and role[3] == "connected" and role[4] >= source[1]
        with RedisWire(self.url(server)) as client:
            client("REPLICAOF", "127.0.0.1", url.rsplit(":", 1)[1])
        self.wait(f"the copy of {url}", caught_up)
        with RedisWire(self.url(server)) as client:
            client("REPLICAOF", "NO", "ONE")

    def reset(self):
        """After a drill: primary, replica and the empty new server as at the start, no fence, no damage of roles; what was
        accepted is kept. Works from every state in between, also when it was cut off itself."""
        self.need_settings()
        traffic = "RUNNING" in self.supervisorctl("status", "traffic:*", check=False)
        for group in ("traffic:*", "whatsapp-blue:*", "whatsapp-green:*"):
            self.supervisorctl("stop", group, check=False)
        data = self.serving_url()
        if data == self.url("primary"):
            self.restart_redis("new")
            self.fill_from("new", data)  # its own settings may be those of a fence: it begins afresh, too
            data = self.url("new")
        self.restart_redis("primary")
        if data:
            self.fill_from("primary", data)
        for server in ("replica", "new"):
            self.restart_redis(server)
        lines = (self.folder / "service.env").read_text().splitlines()
        (self.folder / "service.env").write_text(
            "".join(f"REDIS_URL={self.url('primary')}\n" if line.startswith("REDIS_URL=") else line + "\n" for line in lines))
        (self.folder / "traffic.env").write_text("ACTIVE=blue\n")
        self.supervisorctl("start", "whatsapp-blue:*", check=False)
        self.wait("the service", self.instances_ready)
        self.wait("the replica", self.replica_follows)
        self.mark()
        if traffic:
            self.supervisorctl("start", "traffic:*", check=False)

    def mark(self):
        """What lets a drill that nobody attends begin here: nothing of this is production."""
        with RedisWire(self.url("primary"), timeout=5) as client:
            client("SET", "anclora:dr:sandbox", "local")

    def current_redis_url(self):
        """The Redis that the configuration names."""
        for line in (self.folder / "service.env").read_text().splitlines():
            if line.startswith("REDIS_URL="):
                return line[len("REDIS_URL="):].strip()
        raise SiteError(f"{self.folder}/service.env names no REDIS_URL")

    def canary(self, timeout=60):
        """Posts the plan's {"test": "message"} and waits until a worker took it; also for a service that is just starting."""
        self.need_settings()
        self.wait("the service", self.instances_ready, timeout)
        connection = http.client.HTTPConnection("127.0.0.1", self.settings["groups"]["blue"][0], timeout=timeout)
        with contextlib.closing(connection):
            connection.request("POST", "/api/queue/add", '{"test": "message"}',
                               {"X-API-Key": (self.folder / "api-key").read_text().strip()})
            answer = connection.getresponse()
            body = json.loads(answer.read())
            if answer.status != 200:
                raise SiteError(f"the probe was not accepted: {answer.status} {body}")
        port, path = self.settings["groups"]["blue"][0], body["probeUrl"]
        self.wait("the probe's consumption", lambda: get_json(port, path)[1]["state"] == "consumed", timeout)
        return get_json(port, path)[1]

    def status(self):
        self.need_settings()
        servers = {}
        for server in SERVERS:
            try:
                with RedisWire(self.url(server), timeout=1) as client:
                    servers[server] = {"url": self.url(server), "role": client("ROLE")[0], "keys": client("DBSIZE")}
            except (OSError, RedisError) as error:
                servers[server] = {"url": self.url(server), "down": str(error)}
        programs = dict(line.split()[:2] for line in self.supervisorctl("status", check=False).splitlines() if "  " in line)
        running = self.processes()
        health = {}
        for port in self.settings["groups"]["blue"] + self.settings["groups"]["green"]:
            try:
                health[port] = get_json(port, "/health")[0]
            except (OSError, ValueError, http.client.HTTPException):
                health[port] = None
        return {"folder": str(self.folder), "running": bool(running), "processes": len(running), "redis": servers,
                "configured_redis": self.current_redis_url(), "programs": programs, "health": health}
