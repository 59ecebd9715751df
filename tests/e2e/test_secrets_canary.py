"""Twelve random secrets through commands, faults and reports: found in no output, log, state folder, report, repository
or command line. Each is proved to have been used, so that the search is not for what was never there."""
import base64
import contextlib
import http.server
import json
import os
import pathlib
import random
import socketserver
import subprocess
import sys
import threading
import time

from harness import free_port

PLAN = """version: 1
service: shop
objectives:
  severity:
    - {{id: critical, rto: 15m, rto_max: 30m}}
  data:
    - {{id: jobs, rpo: 5m, targets: [main]}}
sites:
  - {{id: here, primary: true}}
targets:
  - {{id: main, kind: redis, site: here, url: "file:{folder}/main-url", role: primary}}
  - {{id: new, kind: redis, site: here, url: env:NEW_URL, role: standby, allow_restore: true}}
  - {{id: copies, kind: repository, site: here, url: env:REPO_URL, passphrase_file: "{folder}/passphrase"}}
  - {{id: settings, kind: configuration, driver: file, site: here, path: "{folder}/service.env", format: env}}
  - id: api
    kind: http
    site: here
    url: env:API_URL
    headers: [{{id: X-Token, value: "file:{folder}/api-token"}}]
  - {{id: jobs, kind: queue, redis: main, name: jobs, prefix: bull, api: api, api_key: env:API_KEY}}
  - id: tools
    kind: command
    allow:
      - {{id: leak, argv: ["{python}", "{folder}/leak.py"]}}
environments:
  - {{id: lab, sandbox: true, everything: true}}
backups:
  - {{id: capture, target: main, repository: copies, data: jobs, continuous: true, lag: 5s, keep: {{daily: 7d}}}}
probes:
  - {{id: answers, uses: probe.redis, with: {{target: main, write: true}}, every: 1s, timeout: 1s}}
  - {{id: new-answers, uses: probe.redis, with: {{target: new}}, every: 1s, timeout: 1s}}
  - {{id: api-answers, uses: probe.http, with: {{target: api, path: /health}}, every: 1s, timeout: 1s}}
detection:
  - {{id: gone, all: [{{probe: answers}}], scenario: lost}}
scenarios:
  - id: lost
    title: Lost
    severity: critical
    impact: none
    undo_window: 10m
    declare: {{roles: [oncall], timeout: 1m}}
    steps:
      - {{id: look, uses: probe.http, with: {{target: api, path: /health}}, budget: 5s, timeout: 10s}}
      - {{id: tell, uses: people.notify, with: {{contacts: [oncall], text: it is lost}}, budget: 5s, timeout: 20s}}
      - {{id: fence, uses: redis.fence, with: {{target: main}}, budget: 5s, timeout: 30s}}
      - {{id: point, uses: recovery_point.select, needs: [fence], with: {{repository: copies}}, budget: 5s, timeout: 1m}}
      - {{id: data, uses: redis.restore, needs: [point], budget: 30s, timeout: 2m,
          with: {{repository: copies, point: point, to: new}}}}
      - {{id: check-data, uses: redis.verify, needs: [data], with: {{from: [data]}}, budget: 5s, timeout: 1m}}
      - {{id: settings, uses: config.put, needs: [check-data], budget: 5s, timeout: 30s,
          with: {{target: settings, key: REDIS_URL, from: [data]}}}}
      - {{id: canary, uses: queue.canary, needs: [settings], with: {{target: jobs, within: 2s}}, budget: 5s, timeout: 10s}}
      - {{id: leak, uses: exec, needs: [settings, look], budget: 5s, timeout: 30s,
          with: {{target: tools, argv: ["{python}", "{folder}/leak.py"]}}}}
      - {{id: again, uses: probe.http, needs: [leak], with: {{target: api, path: /health}}, budget: 5s, timeout: 10s}}
contacts:
  - id: ada
    name: Ada
    roles: [oncall]
    channels:
      - {{kind: smtp, to: ada@example.com, server: env:SMTP_URL, username: ada, password: env:SMTP_PASSWORD}}
      - {{kind: webhook, url: env:HOOK_URL, secret: "file:{folder}/hook-secret", authorization: env:HOOK_AUTHORIZATION}}
      - {{kind: pagerduty, routing_key: env:PAGER_KEY, url: env:PAGER_URL}}
      - {{kind: evolution, url: env:EVOLUTION_URL, instance: shop, number: "34600000001", api_key: "file:{folder}/evolution-key"}}
escalation:
  - {{id: first, severity: critical, contacts: [ada], when: after, after: 0s, acknowledge_within: 3m}}
"""

# What a careless tool does: it prints where it connects to, and fails; given a word, it goes well.
LEAK = """import pathlib, sys
here = pathlib.Path(__file__).parent
print("cannot connect to", (here / "main-url").read_text().strip(), "with", (here / "api-token").read_text().strip())
sys.exit(0 if sys.argv[1:] else 3)
"""


class Secrets(dict):
    """Name to value: letters and digits, so that a URL, JSON, HTML or YAML shows each as it is."""

    def __init__(self, seed):
        super().__init__()
        self.random = random.Random(seed)

    def __missing__(self, name):
        self[name] = "K7" + "".join(self.random.choices("abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789", k=26))
        return self[name]

    def forms(self):
        """As it is, in hex, and in base64 (the middle, whatever stands before it)."""
        for name, value in self.items():
            data = value.encode()
            yield name, data
            yield name + " in hex", data.hex().encode()
            for shift in range(3):
                yield name + " in base64", base64.b64encode(b"\0" * shift + data)[4 if shift else 0:-4]

    def found_in(self, data):
        return sorted({name for name, form in self.forms() if form in data})


class Echo:
    """An HTTP server that keeps what it gets and answers with all of it: headers, path and body, and a status."""

    def __init__(self, world):
        self.requests, self.status = [], 200
        echo = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                said = f"{self.command} {self.path}\n{self.headers}\n".encode() + body
                echo.requests.append(said)
                self.send_response(echo.status, "you said " + self.path)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)
            do_GET = do_POST = do_PUT = answer

            def log_message(self, *_):
                pass

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        world.cleanups.append(self.server.shutdown)


class CommandLines(threading.Thread):
    """Looks at every process's command line, as `ps` would, until it is stopped; keeps those that hold a secret."""

    def __init__(self, secrets):
        super().__init__(daemon=True)
        self.secrets, self.found, self.looked, self.stopping = secrets, set(), 0, threading.Event()
        self.start()

    def run(self):
        values = [(name, value.encode()) for name, value in self.secrets.items()]
        while not self.stopping.wait(0.005):
            for entry in os.scandir("/proc"):
                if not entry.name.isdigit():
                    continue
                with contextlib.suppress(OSError):
                    line = pathlib.Path(entry.path, "cmdline").read_bytes()
                    self.looked += 1
                    self.found |= {(name, line.replace(b"\0", b" ")[:200]) for name, value in values if value in line}

    def stop(self):
        self.stopping.set()
        self.join()
        return self.found


class Canary:
    def __init__(self, world):
        self.world, self.outputs = world, {}
        secrets = self.secrets = Secrets(world.seed ^ time.time_ns())
        folder = world.folder
        for name, secret in (("passphrase", "repository passphrase"), ("second", "second passphrase"),
                             ("wrong", "wrong passphrase"), ("new-password", "new Redis"), ("main-password", "main Redis"),
                             ("hook-secret", "webhook secret"), ("evolution-key", "Evolution API key"),
                             ("api-token", "token of an HTTP probe")):
            (folder / name).write_text(secrets[secret] + "\n")
        (folder / "leak.py").write_text(LEAK)
        self.main, self.new = self.redis("main", secrets["main Redis"]), self.redis("new", secrets["new Redis"])
        self.echo = Echo(world)
        self.repo = folder / "repo"
        self.plan = folder / "plan.yaml"
        self.plan.write_text(PLAN.format(folder=folder, python=sys.executable))
        main_url = f"redis://:{secrets['main Redis']}@127.0.0.1:{self.main.port}"
        (folder / "main-url").write_text(main_url + "\n")
        (folder / "service.env").write_text(f"REDIS_URL={main_url}\n")
        world.environment |= {
            "MAIN_URL": main_url, "NEW_URL": f"redis://:{secrets['new Redis']}@127.0.0.1:{self.new.port}", "REPO_URL": str(self.repo), "API_URL": self.echo.url,
            "API_KEY": secrets["API key of the service"],
            "SMTP_URL": f"smtp://127.0.0.1:{free_port()}", "SMTP_PASSWORD": secrets["mail password"],
            "HOOK_URL": f"{self.echo.url}/services/{secrets['webhook address']}",
            "HOOK_AUTHORIZATION": "Bearer " + secrets["webhook authorization"],
            "PAGER_KEY": secrets["PagerDuty routing key"], "PAGER_URL": self.echo.url + "/v2/enqueue",
            "EVOLUTION_URL": self.echo.url + "/evolution"}
        self.command_lines = CommandLines(secrets)

    def redis(self, name, password):
        """The password comes by CONFIG SET: the server's own command line is none of the product's."""
        server = self.world.redis(name)
        client = server.client()
        client.pipeline([("CONFIG", "SET", "requirepass", password), ("CONFIG", "SET", "masterauth", password)])
        client.close()
        return server

    def run(self, *args, codes=(0,), env=None):
        outcome = self.world.run(*args, check=False, env=env)
        name = f"{len(self.outputs):02} {' '.join(map(str, args))}"
        self.outputs[name] = (outcome.out + outcome.err).encode()
        assert codes is None or outcome.code in codes, f"{name}: {outcome!r}"
        return outcome

    def client(self, server, secret):
        client = server.client()
        client("AUTH", self.secrets[secret])
        return client

    def leaks(self):
        """Where a secret stands: what was printed, every file that the product wrote. The user's own files hold them, and
        so does the copy of a settings file while an undo may want it; `run clean` has removed it by now."""
        found = {name: self.secrets.found_in(output) for name, output in self.outputs.items()}
        given = {"passphrase", "second", "wrong", "new-password", "main-password", "hook-secret", "evolution-key", "main-url",
                 "api-token", "service.env"}
        for path in self.world.folder.rglob("*"):
            if path.is_file() and path.name not in given and "/main/" not in str(path) and "/new/" not in str(path):
                found[str(path.relative_to(self.world.folder))] = self.secrets.found_in(path.read_bytes())
        return {name: secrets for name, secrets in found.items() if secrets}

    def files(self):
        return {str(path.relative_to(self.world.folder)).split("/")[0] for path in self.world.folder.rglob("*") if path.is_file()}


def read_reports(canary, command):
    for language in ("en", "es"):
        for form in ("md", "html", "json", "pdf") if language == "es" else ("md", "html"):
            path = canary.world.folder / f"report-{command}-{language}.{form}"
            canary.run(command, "report", "--language", language, "--out", path)
            if form == "pdf":
                text = subprocess.run(["pdftotext", path, "-"], capture_output=True, check=True).stdout
                canary.outputs[path.name + " as text"] = text
                assert len(text) > 500, text


def protect(canary):
    """Every command of the repository, with the right secrets and with wrong ones."""
    world, repo, secrets = canary.world, canary.repo, canary.secrets
    canary.run("init", "--repo", repo)
    canary.run("key", "add", "--repo", repo, "--new-passphrase-file", world.folder / "second")
    canary.run("key", "list", "--repo", repo)
    plain = canary.main.url
    canary.run("doctor", plain, "--password-file", world.folder / "main-password", codes=(0, 1))
    canary.run("doctor", plain, "--json", codes=(0, 1), env={"ANCLORA_REDIS_PASSWORD": secrets["main Redis"]})
    canary.run("doctor", plain, "--password-file", world.folder / "wrong", codes=(7,))
    capture = world.spawn("capture", "--source", plain, "--source-password-file", world.folder / "main-password",
                          "--repo", repo, log="capture.log")
    client = canary.client(canary.main, "main Redis")
    client.pipeline([("SET", f"key:{n}", "x" * 50) for n in range(500)])
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    for args in (["status"], ["status", "--json"], ["history"], ["tag", "before"], ["find", "--dangerous"], ["verify"],
                 ["verify", "--restore"], ["expire", "--dry-run"], ["mirror", "--to", world.folder / "mirror"],
                 ["bisect", "--check", "key:* at-least=1"], ["restore", "--to", f"rdb:{world.folder / 'out.rdb'}"]):
        canary.run(*args, "--repo", repo, codes=None if args[0] == "bisect" else (0,))
    canary.run("restore", "--to", canary.new.url, "--repo", repo, "--dry-run", "--target-password-file", world.folder / "new-password")
    canary.run("restore", "--to", canary.new.url, "--repo", repo, "--target-password-file", world.folder / "wrong", codes=(7,))
    canary.run("status", "--repo", repo, "--passphrase-file", world.folder / "wrong", codes=(7,))
    canary.run("status", "--repo", repo, "--json", codes=(0,), env={"ANCLORA_PASSPHRASE_FILE": str(world.folder / "second")})
    return capture


def recover(canary):
    """The plan: looked at, its people told by channels that repeat what they hear, run, failed, reported on."""
    plan = canary.plan
    canary.run("plan", "check", plan, codes=(0, 1))
    canary.run("plan", "show", plan)
    canary.run("detect", "--plan", plan, "--once", "--json", codes=None)
    for status in (200, 400, 401):
        canary.echo.status = status
        canary.run("plan", "test-contacts", plan, *(["--json"] if status == 400 else []), codes=None)
    canary.echo.status = 200
    canary.run("run", "start", "lost", "--plan", plan, "--on", "lab", "--dry-run", "--json", codes=None)
    canary.run("run", "start", "lost", "--plan", plan, "--on", "lab", "--yes", "--no-wait", codes=(5,))
    steps = {step["id"]: step for step in canary.run("run", "status", "--json").json()["steps"]}
    assert steps["settings"]["state"] == "done", steps["settings"]
    # What the careless tool printed is shown, without what the run knows to be a secret.
    assert "cannot connect to redis://:***@" in steps["leak"]["problem"] and "with ***" in steps["leak"]["problem"], steps["leak"]
    canary.run("run", "status", "--verify")
    canary.run("run", "undo", "settings", "--as", "ada", codes=None)
    canary.run("run", "abort", "--as", "ada", "--reason", "enough", codes=None)
    run = canary.run("run", "status", "--json").json()["run"]
    canary.run("run", "clean", "--run", run)
    read_reports(canary, "run")
    canary.run("incident", "open", "--scenario", "lost", "--plan", plan, "--as", "ada", "--note", "it is gone")
    for words in (["ack", "--as", "ada"], ["show"], ["show", "--json"], ["list"]):
        canary.run("incident", *words)
    read_reports(canary, "incident")
    for form in ("export", "export.tar"):
        canary.run("incident", "export", "--out", canary.world.folder / form)
        canary.run("incident", "verify", canary.world.folder / form)


def break_things(canary, capture):
    """A wrong password, a server that is gone, an address that cannot be read, a plan with a secret in it."""
    world, secrets = canary.world, canary.secrets
    canary.run("drill", "run", "restore", "--repo", canary.repo)
    canary.run("drill", "run", "restore", "--repo", canary.repo, "--source", canary.main.url, codes=None)
    canary.run("drill", "list")
    read_reports(canary, "drill")
    (world.folder / "main-url").write_text(f"redis://:{secrets['main Redis']}@127.0.0.1:none\n")
    broken = {"NEW_URL": f"redis//{secrets['new Redis']}@[",
              "HOOK_URL": f"http://{secrets['webhook address']}:x@127.0.0.1:none/"}
    canary.run("detect", "--plan", canary.plan, "--once", codes=None, env=broken)
    canary.run("run", "start", "lost", "--plan", canary.plan, "--on", "lab", "--dry-run", codes=None, env=broken)
    canary.run("plan", "test-contacts", canary.plan, codes=None, env=broken)
    (world.folder / "main-url").write_text(world.environment["MAIN_URL"] + "\n")
    canary.main.kill()
    canary.run("detect", "--plan", canary.plan, "--for", "4s", codes=None)
    canary.run("run", "start", "lost", "--plan", canary.plan, "--on", "lab", "--yes", "--no-wait", codes=None)
    capture.terminate()
    capture.wait()


def test_twelve_secrets_are_found_nowhere(world):
    canary = Canary(world)
    assert len(canary.secrets) >= 12, list(canary.secrets)
    capture = protect(canary)
    recover(canary)
    break_things(canary, capture)
    shown = canary.command_lines.stop()
    assert canary.command_lines.looked > 1000 and not shown, shown
    # All that an HTTP server hears was said, and it repeated it.
    heard = canary.secrets.found_in(b"\n".join(canary.echo.requests))
    said = {"token of an HTTP probe", "API key of the service", "webhook address", "webhook authorization",
            "PagerDuty routing key", "Evolution API key"}
    assert said <= set(heard), said - set(heard)
    # The search finds what is there, and there is something to search in.
    assert canary.secrets.found_in((world.folder / "service.env").read_bytes())
    assert {"repo", "mirror", "state", "capture.log"} <= canary.files(), canary.files()
    leaks = canary.leaks()
    assert not leaks, json.dumps(leaks, indent=1)
