"""A small sandbox for scenario drills: one Redis to lose, a spare one to restore into, and a plan of its own."""
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys

from harness import PATIENCE, Resp, free_port

TOOL = '''import os, signal, socket, subprocess, sys, time
folder, port, spare, word = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
pid_file = os.path.join(folder, "pid")
def send(port, *words):
    with socket.create_connection(("127.0.0.1", port), 60) as link:
        link.sendall(b"*%d\\r\\n" % len(words) + b"".join(b"$%d\\r\\n%s\\r\\n" % (len(w), w.encode()) for w in words))
        return link.recv(4096)
def start():
    process = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "",
                                "--repl-diskless-sync-delay", "0"], start_new_session=True, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    open(pid_file, "w").write(str(process.pid))
    deadline = time.monotonic() + 150
    while time.monotonic() < deadline:
        try:
            if send(port, "PING").startswith(b"+PONG"):
                return
        except OSError:
            time.sleep(0.02)
    sys.exit("redis-server does not answer")
with open(os.path.join(folder, "calls"), "a") as calls:
    calls.write(word + "\\n")
if word == "hang":
    while not os.path.exists(os.path.join(folder, "go")):
        time.sleep(0.05)
    word = "again"
if word == "start":
    start()
elif word == "lose":
    os.kill(int(open(pid_file).read()), signal.SIGKILL)
elif word == "again":
    try:
        send(port, "PING")
    except OSError:
        start()
        for n in range(200):
            send(port, "SET", "key:%d" % n, "x" * 50)
    send(port, "SET", "anclora:dr:sandbox", "lab")
    send(spare, "REPLICAOF", "NO", "ONE")
    send(spare, "FLUSHALL")
elif word == "slow":
    time.sleep(9)
elif word == "fail":
    sys.exit("cannot be cleaned up")
'''

PLAN = """version: 1
service: shop
objectives:
  severity:
    - {{id: critical, rto: {rto}, rto_max: 10m}}
  data:
    - {{id: jobs, rpo: 1m, proof: beacon, targets: [main]}}
sites:
  - {{id: here, primary: true}}
  - {{id: there}}
targets:
  - id: tools
    kind: command
    allow:
      - {{id: tool, argv: ["{python}", "{tool}"]}}
  - {{id: main, kind: redis, site: here, url: "redis://127.0.0.1:{port}", role: primary, beacon: {{key: "anclora:dr:beacon", every: 1s}}}}
  - {{id: spare, kind: redis, site: here, url: "redis://127.0.0.1:{spare}", role: standby, standby_of: main, allow_restore: true}}
  - {{id: copies, kind: repository, site: there, url: "{repo}", passphrase_file: "{passphrase}"}}
environments:
  - {{id: lab, sandbox: true, everything: true}}
  - {{id: production, sandbox: false}}
backups:
  - {{id: capture, target: main, repository: copies, data: jobs, continuous: true, lag: 5s, keep: {{daily: 7d}}}}
probes:
  - {{id: answers, uses: probe.redis, with: {{target: main, role: primary, write: true}}, every: 500ms, timeout: 500ms}}
detection:
  - {{id: gone, all: [{{probe: answers}}], scenario: lost}}
scenarios:
  - id: lost
    title: Lost
    severity: critical
    impact: none
    undo_window: 10m
    declare: {{roles: [oncall], timeout: 1s}}
    inject:
      - {{id: lose, uses: exec, with: {{target: tools, argv: [TOOL, lose]}}}}
    steps:
      - {{id: point, uses: recovery_point.select, with: {{repository: copies, max_age: 5m}}, budget: 1s, timeout: 1m}}
      - {{id: fence, uses: redis.fence, with: {{target: main, if_unreachable: record}}, budget: 1s, timeout: 1m}}
      - {{id: data, uses: redis.restore, needs: [fence, point], with: {{repository: copies, point: point, to: spare}}, budget: 1s, timeout: 1m}}
      - {{id: look, uses: redis.verify, needs: [data, point], with: {{target: spare, point: point}}, budget: 1s, timeout: 1m}}
{more}
    cleanup:
      - {{id: tidy, uses: exec, with: {{target: tools, argv: [TOOL, {cleanup}]}}, timeout: 1m}}
drills:
  - {{id: monthly, scenario: lost, environment: lab, every: month}}
contacts:
  - {{id: ada, name: Ada, roles: [oncall], channels: [{{kind: command, argv: [/bin/true]}}, {{kind: webhook, url: "env:HOOK"}}]}}
escalation:
  - {{id: first, severity: critical, contacts: [ada], when: after, after: 0s, acknowledge_within: 3m}}
"""


SLOW = """      - {id: slow, uses: exec, needs: [look], with: {target: tools, argv: [TOOL, slow], check: true}, budget: 1s, timeout: 1m}
"""


def replaced(plan, main, spare):
    """The lab's plan with production, and with an environment `lab` whose servers are reached by these URLs."""
    text = plan.read_text()
    tool = re.search(r"allow:\n\s+- ({.*})", text).group(1)
    plan.write_text(text.replace("{id: lab, sandbox: true, everything: true}", f"""id: lab
    sandbox: true
    targets:
      - {{id: tools, kind: command, allow: [{tool}]}}
      - {{id: main, kind: redis, url: "{main}", role: primary}}
      - {{id: spare, kind: redis, url: "{spare}", role: standby, standby_of: main, allow_restore: true}}"""))


class Lab:
    def __init__(self, world, rto="5m", cleanup="again", more="", capture=True):
        self.world, self.folder, self.port = world, world.folder / "main", free_port()
        self.folder.mkdir()
        self.tool = world.folder / "tool.py"
        self.tool.write_text(TOOL)
        self.spare = world.redis("spare")
        world.cleanups.append(self.stop)
        self.call("start")
        client = self.client()
        client.pipeline([("SET", f"key:{n}", "x" * 50) for n in range(200)] + [("SET", "anclora:dr:sandbox", "lab")])
        self.repo = world.init(world.folder / "repo")
        if capture:
            world.spawn("capture", "--source", f"redis://127.0.0.1:{self.port}", "--repo", self.repo, log="capture.log")
            world.wait_protected(self.repo, int(client.info()["master_repl_offset"]))
        self.plan = world.folder / "plan.yaml"
        self.write(rto, cleanup, more)

    def write(self, rto="5m", cleanup="again", more=""):
        words = f'"{sys.executable}", "{self.tool}", "{self.folder}", "{self.port}", "{self.spare.port}"'
        text = PLAN.format(python=sys.executable, tool=self.tool, port=self.port, spare=self.spare.port, repo=self.repo,
                           passphrase=self.world.passphrase, rto=rto, cleanup=cleanup, more=more)
        self.plan.write_text(text.replace("TOOL", words))

    def call(self, word):
        subprocess.run([sys.executable, self.tool, self.folder, str(self.port), str(self.spare.port), word], check=True,
                       timeout=PATIENCE)

    def calls(self):
        return (self.folder / "calls").read_text().split()

    def client(self):
        return Resp(self.port)

    def lives(self):
        with contextlib.suppress(OSError, ConnectionError):
            client = self.client()
            return client("PING") == "PONG"
        return False

    def stop(self):
        with contextlib.suppress(OSError, ValueError):
            os.kill(int(pathlib.Path(self.folder / "pid").read_text()), signal.SIGKILL)

    def words(self, *more):
        return ("drill", "run", "lost", "--plan", self.plan, "--on", "lab", "--yes", *more)
