"""The local site that the plan's drills run on: what it claims to be, it is. Real Redis, BullMQ, supervisor."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import shlex
import signal
import smtplib
import subprocess
import sys
import time

from harness import PATIENCE, Resp, free_block

SITE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "local-site" / "site"


class Site:
    def __init__(self, world, *options):
        self.world, self.folder = world, world.folder / "site"
        world.cleanups.append(lambda: self.command("stop", check=False))
        self.command("start", "--first-port", free_block(), "--rate", "20", "--while", os.getpid(), *options)
        pairs = (shlex.split(line)[0].split("=", 1) for line in (self.folder / "site.env").read_text().splitlines())
        self.environment = {name.removeprefix("ANCLORA_LOCAL_"): value for name, value in pairs}

    def command(self, name, *words, check=True):
        done = subprocess.run([sys.executable, str(SITE), name, str(self.folder), *map(str, words)], capture_output=True, text=True, timeout=4 * PATIENCE, check=False)
        assert not check or done.returncode == 0, f"site {name}: exit {done.returncode}\n{done.stdout}{done.stderr}{self.logs()}"
        return json.loads(done.stdout) if done.stdout.lstrip().startswith(("{", "[")) else done.stdout

    def logs(self):
        return "".join(f"--- {path.name}\n{path.read_text(errors='replace')[-1000:]}\n"
                       for path in sorted((self.folder / "logs").glob("*.log")))

    def supervisorctl(self, *words):
        return subprocess.run(["supervisorctl", "-c", self.environment["SUPERVISOR_CONF"], *words], capture_output=True,
                              text=True, timeout=PATIENCE, check=False).stdout

    def redis(self, name):
        return Resp(int(self.environment[f"{name}_URL"].rpartition(":")[2]))

    def request(self, method, url, body=None, headers=()):
        host, _, path = url.removeprefix("http://").partition("/")
        with contextlib.closing(http.client.HTTPConnection(host, timeout=PATIENCE)) as connection:
            connection.request(method, "/" + path, body, dict(headers))
            answer = connection.getresponse()
            text = answer.read().decode()
            is_json = answer.headers.get("Content-Type", "").startswith("application/json")
            return answer.status, json.loads(text) if is_json else text

    def api(self, method, path, body=None, key=True):
        headers = {"X-API-Key": self.environment["API_KEY"]} if key else {}
        return self.request(method, self.environment["API_URL"] + path, body, headers)

    def accepted(self):
        file = self.folder / "accepted.jsonl"
        return file.read_text().count("\n") if file.exists() else 0

    def wait_for_traffic(self, more=20):
        target = self.accepted() + more
        self.world.wait_for(f"{more} more accepted messages", lambda: self.accepted() >= target)

    def processes(self):
        """Every process that names the site's folder; the tests' own commands have ended."""
        found = {}
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    command = (entry / "cmdline").read_bytes()
                    if str(self.folder).encode() in command or str(self.folder) in os.readlink(entry / "cwd"):
                        found[entry.name] = command
        return found


def test_every_accepted_message_is_sent_once_and_nothing_is_left_after_the_stop(world):
    site = Site(world)
    site.wait_for_traffic(60)
    assert site.command("canary")["state"] == "consumed"
    site.supervisorctl("stop", "traffic:*")
    audit = site.command("audit", "--wait", PATIENCE)
    assert audit["accepted"] >= 60 and audit["owed"] > 40, audit
    assert (audit["lost"], audit["duplicates"], audit["sent_though_not_accepted"]) == (0, 0, 0), audit
    stats = site.request("GET", site.environment["PROVIDER_URL"] + "/stats")[1]
    assert stats["total"] == stats["keys"] == stats["recipients"] == audit["sent"], (stats, audit)
    with smtplib.SMTP("127.0.0.1", int(site.environment["SMTP_PORT"]), timeout=PATIENCE) as mail:
        mail.sendmail("dr@example.com", ["oncall@example.com"], "Subject: Redis is lost\r\n\r\nAll of it.\r\n")
    kept = (pathlib.Path(site.environment["MAIL_DIR"]) / "0001.eml").read_text()
    assert "X-Sink-To: oncall@example.com" in kept and "Redis is lost" in kept, kept
    site.request("POST", site.environment["WEBHOOK"], '{"text": "Redis is lost"}')
    kept = json.loads((pathlib.Path(site.environment["WEBHOOK_DIR"]) / "0001.json").read_text())
    assert kept["path"] == "/hook" and json.loads(kept["body"])["text"] == "Redis is lost", kept
    assert len(site.processes()) >= 9, site.processes()
    site.command("stop")
    assert not site.processes(), site.processes()


def test_the_service_answers_as_the_plan_calls_it(world):
    site = Site(world, "--no-traffic")
    for prefix in ("", "/api"):
        for path in ("/health", "/health/live", "/health/ready"):
            assert site.api("GET", prefix + path, key=False)[0] == 200, path
        metrics = site.api("GET", prefix + "/queue/metrics", key=False)[1]
        assert {"waiting", "active", "completed", "failed", "dlq"} <= metrics.keys(), metrics
        assert "anclora_queue_waiting_messages 0\n" in site.api("GET", prefix + "/metrics", key=False)[1]
    # As curl -d sends it: a form by its content type.
    status, probe = site.api("POST", "/api/queue/add", '{"test": "message"}')
    assert status == 200 and probe["messageId"].startswith("dr-probe-"), probe
    world.wait_for("the probe", lambda: site.api("GET", probe["probeUrl"])[1]["state"] == "consumed")
    message = {"recipientPhone": "34600000001", "content": "hello", "priority": "critical"}
    assert site.api("POST", "/queue/add", json.dumps(message), key=False)[0] == 401
    assert site.api("POST", "/queue/add", "{")[0] == 400
    assert site.api("POST", "/queue/add", json.dumps(message | {"recipientPhone": "12"}))[1]["details"]
    assert site.api("POST", "/queue/add", json.dumps(message))[0] == 200
    bulk = site.api("POST", "/queue/bulk", json.dumps([message | {"recipientPhone": f"3460000001{i}"} for i in range(5)]))[1]
    assert len(set(bulk["messageIds"])) == 5, bulk
    assert site.api("POST", "/queue/bulk", json.dumps([message] * 101))[0] == 400
    later = json.dumps(message | {"scheduledFor": "2099-01-01T00:00:00Z"})
    assert site.api("POST", "/queue/schedule", later)[0] == 200

    def sent():
        return site.request("GET", site.environment["PROVIDER_URL"] + "/stats")[1]["total"] == 6
    world.wait_for("the messages", sent)
    assert site.api("GET", "/queue/metrics")[1]["delayed"] == 1
    redis = site.redis("REDIS")
    # The service counts a message when the provider has answered, a moment after the provider counted it.
    world.wait_for("the count", lambda: redis("GET", "analytics:whatsapp:sent:total") == b"6")
    assert redis("HGET", "bull:whatsapp-messages:2", "priority") == b"1"
    # The provider fails twice: the third attempt is the same message, by its key.
    fault = site.environment["PROVIDER_URL"] + "/fault"
    site.request("POST", fault, '{"status": 503}')
    job = site.api("POST", "/queue/add", json.dumps(message | {"recipientPhone": "34600000099"}))[1]["messageId"]
    world.wait_for("a failed attempt", lambda: redis("HGET", f"bull:whatsapp-messages:{job}", "atm") == b"1")
    site.request("POST", fault, "{}")
    query = site.environment["PROVIDER_URL"] + "/sent?recipient=34600000099"
    world.wait_for("the second attempt", lambda: site.request("GET", query)[1]["count"] == 1)


def test_an_instance_that_dies_is_started_again_and_its_messages_are_sent(world):
    site = Site(world)
    site.wait_for_traffic(20)
    pid = int(re.search(r"pid (\d+)", site.supervisorctl("status", "whatsapp-blue:whatsapp-blue-0")).group(1))
    os.kill(pid, signal.SIGKILL)

    def again():
        found = re.search(r"RUNNING\s+pid (\d+)", site.supervisorctl("status", "whatsapp-blue:whatsapp-blue-0"))
        return found and int(found.group(1)) != pid
    world.wait_for("a new instance", again)
    world.wait_for("its health", lambda: site.command("status")["health"][site.environment["API_URL"].rpartition(":")[2]] == 200)
    site.wait_for_traffic(20)
    site.supervisorctl("stop", "traffic:*")
    audit = site.command("audit", "--wait", PATIENCE)
    assert audit["lost"] == 0, audit


def test_a_lost_redis_is_recovered_by_promotion_configuration_and_restart(world):
    site = Site(world)
    site.wait_for_traffic(40)
    still_there = time.time()
    site.command("lose-redis")
    lost_at = time.time()
    world.wait_for("503", lambda: site.api("GET", "/health")[0] == 503)
    assert site.api("POST", "/queue/add", '{"test": 1}')[0] == 503
    site.redis("REPLICA")("REPLICAOF", "NO", "ONE")
    config = pathlib.Path(site.environment["CONFIG_FILE"])
    config.write_text(config.read_text().replace(site.environment["REDIS_URL"], site.environment["REPLICA_URL"]))
    witness, started = world.witness(), time.monotonic()
    site.supervisorctl("restart", "whatsapp-blue:*")
    # Without a Redis there is nothing to wait for: a stop takes no longer than one with it.
    assert time.monotonic() - started < witness.limit(20)
    assert site.command("canary")["state"] == "consumed"
    site.wait_for_traffic(20)
    site.supervisorctl("stop", "traffic:*")
    # A replica trails by a moment: what is lost was accepted right before the end. The rest may be on its way.
    audit = world.wait_for("all but what was accepted right before the end", lambda: (
        lambda found: all(still_there - 3 < at < lost_at for at in found["lost_accepted_at"]) and found)(site.command("audit")))
    assert audit["refused"] + audit["unknown"] > 0, audit
    # The old primary comes back empty, and nobody uses it.
    site.command("revive")
    assert site.redis("REDIS")("DBSIZE") == 0
    assert site.command("canary")["state"] == "consumed"


def test_the_bad_client_damages_keys_while_the_service_goes_on(world):
    site = Site(world)
    site.wait_for_traffic(60)
    damages = site.command("corrupt", "--seconds", 3, "--every", 0.2)
    kinds = {damage["kind"] for damage in damages}
    assert kinds == {"wrong-type", "missing-hash", "negative-counter", "no-expiry", "garbage-json"}, damages
    redis = site.redis("REDIS")
    key = {damage["kind"]: damage["key"] for damage in damages}
    assert redis("TYPE", key["wrong-type"]) == "string"
    assert redis("EXISTS", key["missing-hash"]) == 0
    assert redis("ZSCORE", "bull:whatsapp-messages:delayed", key["missing-hash"].rpartition(":")[2]) is not None
    assert int(redis("GET", "analytics:whatsapp:sent:total")) < 0
    assert redis("TTL", key["no-expiry"]) == -1
    noted = [json.loads(line) for line in (site.folder / "damage.jsonl").read_text().splitlines()]
    assert [entry for entry in noted if entry["key"]] == damages
    assert site.command("canary")["state"] == "consumed"
    site.wait_for_traffic(20)


def test_the_traffic_file_says_which_instances_get_the_traffic(world):
    site = Site(world)
    site.wait_for_traffic(10)
    site.supervisorctl("start", "whatsapp-green:*")
    green = site.environment["GREEN_API_URL"]

    def healthy():
        with contextlib.suppress(OSError):
            return site.request("GET", green + "/health")[0] == 200
    world.wait_for("green", healthy)
    traffic = pathlib.Path(site.environment["TRAFFIC_FILE"])
    traffic.write_text("ACTIVE=green\n")

    def last_instance():
        return json.loads((site.folder / "accepted.jsonl").read_text().splitlines()[-1])["instance"]
    world.wait_for("traffic at green", lambda: last_instance() >= int(green.rpartition(":")[2]))
    traffic.write_text("ACTIVE=none\n")

    def at_rest():
        before = site.accepted()
        time.sleep(1.5)
        return site.accepted() == before
    world.wait_for("no traffic", at_rest)  # what was under way is answered first


def test_a_site_ends_with_the_process_that_wanted_it(world):
    site = Site(world, "--no-traffic")
    assert site.processes()
    owner = subprocess.Popen(["sleep", "1000"])
    site.command("start", "--while", owner.pid, "--no-traffic")
    owner.kill()
    owner.wait()
    world.wait_for("the end", lambda: not site.processes())
