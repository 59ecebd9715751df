"""`anclora serve` on the local site: a Redis is lost under traffic, found, told, declared by the API, recovered; the
daemon killed in the middle, its repository away, strangers at its door."""
import contextlib
import http.client
import json
import pathlib
import re
import shutil
import signal
import subprocess
import time

from drill_lab import Lab
from harness import PATIENCE, free_port
from test_json_fields import documented, names_in
from test_local_site import Site

PLAN = pathlib.Path(__file__).resolve().parents[2] / "plans" / "local.yaml"
API_DOCUMENT = PLAN.parents[1] / "docs" / "api.md"
TOKEN = "0123456789abcdef-token"


class Served:
    """A local site, a repository and a serve that keeps it."""
    plan, jobs_after = PLAN, "1h"

    def __init__(self, world, *options, traffic=True):
        self.world, self.options = world, options
        self.site = Site(world, *([] if traffic else ["--no-traffic"]))
        world.environment.update({f"ANCLORA_LOCAL_{name}": value for name, value in self.site.environment.items()})
        world.environment["ANCLORA_LOCAL_PASSPHRASE_FILE"] = str(world.passphrase)
        self.repo = world.environment["ANCLORA_LOCAL_REPO"]
        world.run("init", self.repo)
        self.prepare_api(world)

    def prepare_api(self, world):
        self.tokens = world.folder / "tokens"
        self.tokens.write_text(f"{TOKEN}\noncall:oncalls-own-token-1\n")
        self.secret = world.folder / "alert-secret"
        self.secret.write_text("the-alert-secret\n")
        self.port = free_port()
        self.start()

    def start(self):
        self.process = self.world.spawn(
            "serve", "--plan", self.plan, "--listen", f"127.0.0.1:{self.port}", "--token-file", self.tokens,
            "--alert-secret-file", self.secret, "--jobs-after", self.jobs_after, *self.options, log="serve.log")
        self.world.wait_for("the API", self.answers)

    def answers(self):
        try:
            return self.ask("GET", "/health", token=None)[0] == 200
        except OSError:
            assert self.process.poll() is None, self.world.logs()
            return False

    def ask(self, method, path, body=None, token=TOKEN, host=None, headers=()):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            sent = {"Host": host or f"127.0.0.1:{self.port}", **dict(headers)}
            if token:
                sent["Authorization"] = f"Bearer {token}"
            connection.request(method, path, json.dumps(body) if isinstance(body, (dict, list)) else body, sent)
            reply = connection.getresponse()
            text = reply.read().decode()
            return reply.status, json.loads(text) if reply.getheader("Content-Type") == "application/json" else text
        finally:
            connection.close()

    def approve(self, run, body, token=TOKEN):
        """Returns the answer, or None: the runner is slow to give it, and the API waits for a few seconds only."""
        status, reply = self.ask("POST", f"/api/runs/{run}/approve", body, token=token)
        if status == 504 and "has not answered yet" in reply["error"]["message"]:
            return None
        assert status == 200, (status, reply, self.logs())
        return reply["answer"]

    def get(self, path):
        status, reply = self.ask("GET", path)
        assert status == 200, (path, status, reply)
        return reply

    def metric(self, name, **labels):
        text = self.ask("GET", "/metrics", token=None)[1]
        for line in text.splitlines():
            if line.startswith(f"anclora_{name}{{") or line.startswith(f"anclora_{name} "):
                if all(f'{key}="{value}"' in line for key, value in labels.items()):
                    return float(line.rpartition(" ")[2])
        return None

    def logs(self):
        kept = pathlib.Path(self.world.environment["ANCLORA_STATE_DIR"]) / "serve" / "log"
        return self.world.logs() + "".join(f"--- {path.name}\n{path.read_text(errors='replace')[-2500:]}\n" for path in sorted(kept.glob("*.log")))

    def protected(self):
        """Captured, and its probes have seen it well."""
        def well():
            rpo = self.metric("rpo_seconds", backup="capture")
            return rpo is not None and rpo < 30 and self.metric("probe_state", probe="redis-answers", state="up") == 1
        self.world.wait_for("a protected and watched Redis", well)

    def rule(self, name):
        return next(each["state"] for each in self.get("/api/verdicts")["verdicts"] if each["rule"] == name)

    def run(self):
        runs = [each for each in self.get("/api/runs")["runs"] if each.get("scenario") == "redis-lost"]
        return runs[-1] if runs else None

    def lose_redis(self):
        self.site.command("lose-redis")
        return time.monotonic()

    def wait_run(self, state, timeout=PATIENCE):
        def there():
            run = self.run()
            return run if run and run["state"] == state else None
        try:
            return self.world.wait_for(f"the run is {state}", there, timeout, every=0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.run()}\n{self.logs()}") from error


def is_running(pid):
    """Not one that has ended, and that nobody has collected yet."""
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


class ServedLab(Served):
    """A serve that keeps a drill lab: all of its plan is the sandbox."""

    def __init__(self, world, lab, *options, jobs_after="1h"):
        self.world, self.lab, self.plan, self.options, self.jobs_after = world, lab, lab.plan, options, jobs_after
        world.environment["HOOK"] = "http://127.0.0.1:9/hook"  # nobody listens
        self.prepare_api(world)

    def state(self, *path):
        return pathlib.Path(self.world.environment["ANCLORA_STATE_DIR"], *path)


def test_a_lost_redis_is_found_told_declared_and_recovered_by_itself(world):
    served = Served(world)
    served.site.wait_for_traffic(40)
    served.protected()
    witness, lost = world.witness(), served.lose_redis()
    world.wait_for("the verdict", lambda: served.rule("redis-gone") == "confirmed", every=0.05)
    took = time.monotonic() - lost
    limit, detect_limit = witness.limit(5), witness.limit(3)
    assert took <= limit, f"{took} s\n{served.logs()}"  # the looks at the API included

    run = served.wait_run("waiting")
    incident = world.wait_for("the incident", lambda: served.get("/api/incidents")["incidents"])[0]
    assert incident["scenario"] == "redis-lost" and incident["severity"] == "critical", incident
    mails = pathlib.Path(world.environment["ANCLORA_LOCAL_MAIL_DIR"])
    hooks = pathlib.Path(world.environment["ANCLORA_LOCAL_WEBHOOK_DIR"])
    told = world.wait_for("mail and webhook", lambda: any(mails.glob("*.eml")) and any(hooks.glob("*.json")))
    assert told and incident["incident"] in next(mails.glob("*.eml")).read_text(), served.logs()

    status, reply = served.ask("POST", f"/api/incidents/{incident['incident']}/ack", {"as": "oncall"})
    assert status == 200, reply
    assert served.approve(run["run"], {}, "oncalls-own-token-1") in ("approval.granted", None)
    served.wait_run("finished")
    report = served.get(f"/api/runs/{run['run']}")
    assert report["rto"]["achieved_seconds"] > 0 and report["rto"]["met"] is True, report["rto"]
    assert report["rto"]["detect_seconds"] <= detect_limit, report["rto"]
    world.wait_for("the rule keeps quiet", lambda: served.rule("redis-gone") == "silenced")
    assert served.metric("incidents_open") == 1 and served.metric("incidents_unacknowledged") == 0
    assert served.metric("rule_state", rule="redis-gone", state="silenced") == 1
    assert served.metric("probe_state", probe="redis-answers", state="down") == 1

    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(PATIENCE) == 0, served.logs()
    served.start()  # what a finished run silenced stays silent over a restart, until a person releases it
    world.wait_for("the rule is still quiet", lambda: served.rule("redis-gone") == "silenced")
    assert len([r for r in served.get("/api/runs")["runs"] if r.get("scenario") == "redis-lost"]) == 1
    status, reply = served.ask("POST", "/api/rules/redis-gone/release", {"as": "oncall"})
    assert status == 200, reply


def test_a_killed_daemon_goes_on_where_it_was(world):
    served = Served(world)
    served.site.wait_for_traffic(40)
    served.protected()
    served.lose_redis()
    run = served.wait_run("waiting")
    pids = [child["pid"] for child in served.get("/api/status")["children"] if child["running"]]
    assert pids
    served.process.kill()
    served.process.wait()
    world.wait_for("the children ended with it", lambda: not any(is_running(pid) for pid in pids))
    served.start()
    world.wait_for("the run has a runner again", lambda: (served.run() or {}).get("has_runner"))
    served.wait_run("waiting")
    served.approve(run["run"], {"as": "oncall"})
    world.wait_for("it acts", lambda: served.run()["state"] in ("running", "finished"), every=0.05)
    served.process.kill()
    served.process.wait()
    served.start()
    served.wait_run("finished")
    runs = [each for each in served.get("/api/runs")["runs"] if each.get("scenario") == "redis-lost"]
    assert len(runs) == 1 and len(served.get("/api/incidents")["incidents"]) == 1, (runs, served.logs())
    assert served.get("/api/incidents")["incidents"][0]["scenario"] == "redis-lost"


def test_strangers_are_refused_and_alerts_are_no_proof(world):
    served = Served(world, "--no-capture", traffic=False)
    for method, path in (("GET", "/api/status"), ("POST", "/api/runs"), ("POST", "/alerts")):
        assert served.ask(method, path, {}, token=None)[0] == 401
        assert served.ask(method, path, {}, token="wrong-wrong-wrong-wrong")[0] == 401
    assert served.ask("GET", "/metrics", token=None, host="evil.example")[0] == 403
    assert served.ask("POST", "/api/runs", {"scenario": "redis-lost", "as": "nobody"})[0] == 400
    assert served.ask("POST", "/api/runs/../../etc/approve", {"as": "oncall"})[0] in (400, 404)
    with contextlib.suppress(ConnectionError):  # refused before it is read
        assert served.ask("POST", "/alerts", "x" * (2 << 20), token="the-alert-secret")[0] == 413
    alert = {"version": "4", "alerts": [{"status": "firing", "labels": {"alertname": "RedisDown", "severity": "critical"},
                                         "annotations": {}, "startsAt": "2026-11-24T12:00:00Z", "fingerprint": "f1"}]}
    status, reply = served.ask("POST", "/alerts", alert, token="the-alert-secret")
    assert status == 200 and reply["signals"] == 1, reply
    time.sleep(1)
    assert served.get("/api/incidents")["incidents"] == [] and served.get("/api/runs")["runs"] == []
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(PATIENCE) == 0, served.logs()


def test_a_repository_that_goes_away_is_told_and_stops_nothing(world):
    served = Served(world, traffic=False)
    served.protected()
    away = world.folder / "repo-away"
    shutil.move(served.repo, away)
    world.wait_for("it is told", lambda: served.metric("backup_away", backup="capture") == 1)
    assert served.answers() and served.metric("probe_state", probe="redis-answers", state="up") == 1
    shutil.move(away, served.repo)
    world.wait_for("it is back", lambda: served.metric("backup_away", backup="capture") == 0)


def test_a_plan_file_that_breaks_under_serve_stops_no_recovery(world):
    lab = Lab(world, capture=False)
    lab.plan.write_text(lab.plan.read_text().replace("timeout: 1s}", "timeout: 3m}"))
    link = world.folder / "linked.yaml"  # as a mounted ConfigMap has them
    link.symlink_to(lab.plan)
    lab.plan = link
    assert world.run("detect", "--plan", link, "--once", check=False).code in (0, 1)
    served = ServedLab(world, lab, "--no-drills")
    world.wait_for("a protected and watched Redis", lambda: served.metric("rpo_seconds", backup="capture") is not None
                   and served.metric("probe_state", probe="answers", state="up") == 1)
    whole = lab.plan.read_text()

    def noted(text):
        return any(str(lab.plan) in note and text in note for note in served.get("/api/status")["notes"])
    lab.plan.write_text(whole.replace("title: Lost", "title: Gone"))
    world.wait_for("a change is told", lambda: noted("counts until serve is started again") and not noted("plan check"))
    lab.plan.write_text("version: 1\nservice: [")
    world.wait_for("what breaks it, too", lambda: noted("plan check"))
    lab.plan.unlink()
    world.wait_for("and that it is gone", lambda: noted("cannot be read any more"))
    lab.call("lose")
    run = world.wait_for("a run that waits", lambda: next(
        (each for each in served.get("/api/runs")["runs"] if each.get("state") == "waiting"), None))
    served.approve(run["run"], {"as": "ada"})
    world.wait_for("its end", lambda: served.ask("GET", f"/api/runs/{run['run']}")[1].get("state") == "finished")
    assert lab.spare.client()("DBSIZE") >= 200
    served.process.send_signal(signal.SIGHUP)  # its terminal is closed
    assert served.process.wait(PATIENCE) == 0, served.logs()


def test_two_daemons_do_not_share_a_state_folder(world):
    # A copy of the plan that cannot be kept, as on a full disk, keeps nothing from being watched.
    blocked = pathlib.Path(world.environment["ANCLORA_STATE_DIR"]) / "serve" / "plan.yaml"
    blocked.mkdir(parents=True)
    served = Served(world, "--no-capture", traffic=False)
    assert "no copy of the plan can be kept" in served.logs(), served.logs()
    second = world.run("serve", "--plan", PLAN, "--listen", "none", check=False)
    assert second.code == 5 and "another serve" in second.err, second
    open_door = world.run("serve", "--plan", PLAN, "--listen", "0.0.0.0:0", check=False)
    assert open_door.code == 2 and "--token-file" in open_door.err, open_door
    assert served.answers()


def test_an_incident_that_cannot_be_read_is_told(world):
    served = Served(world, "--no-capture", traffic=False)
    world.run("incident", "open", "--scenario", "redis-lost", "--plan", PLAN, "--as", "oncall")
    world.wait_for("it is seen", lambda: served.metric("incidents_open") == 1)
    assert "cannot be read" not in served.logs(), served.logs()
    (journal,) = pathlib.Path(world.environment["ANCLORA_STATE_DIR"]).glob("incidents/inc-*/journal-000001.jsonl")
    # As unreadable as another user's file, for root too. A whole line of JSON: what is none, in the only segment, is what a
    # kill at the opening leaves, and then there is no incident; serve may not have added its own segment yet.
    journal.write_text('{"changed": true}\n')
    world.wait_for("it is told", lambda: "cannot be read" in served.logs())
    assert f"{journal.parent}/journal-" in served.logs(), served.logs()
    assert "an incident cannot be read or written, so nobody is told of it: " in served.logs(), served.logs()
    assert any("cannot be read" in note for note in served.get("/api/status")["notes"]), served.get("/api/status")


def test_what_is_scheduled_is_done_unattended_and_calls_nobody(world):
    lab = Lab(world, capture=False)
    lab.plan.write_text(lab.plan.read_text().replace("drills:\n", "drills:\n  - {id: weekly, scenario: restore, every: week}\n"))
    served = ServedLab(world, lab, jobs_after="1s")

    def done():
        assert served.process.poll() is None, served.logs()
        return {each["scenario"] for each in served.get("/api/drills")["drills"]} == {"lost", "restore"} and \
            len(list(served.state("serve", "jobs").glob("*"))) >= 6 and served.rule("gone") == "quiet" and \
            served.metric("probe_state", probe="answers", state="up") == 1
    world.wait_for("expire, verify and both drills", done, 2 * PATIENCE, every=0.5)
    drills = served.get("/api/drills")["drills"]
    assert [each["passed"] for each in drills] == [True, True], (drills, served.logs())
    jobs = {path.name: path.read_text().split()[-1] for path in served.state("serve", "jobs").glob("*")}
    assert jobs == {name: "0" for name in ("drill_clean", "drill_monthly", "drill_weekly", "expire_main_to_copies", "run_clean", "verify_copies")}, jobs
    assert lab.calls() == ["start", "lose", "again"] and lab.lives()
    # The disaster was played: nobody was called, and nothing was begun on what is guarded.
    assert served.get("/api/incidents")["incidents"] == [] and served.metric("incidents_open") == 0
    assert all("-inject-" in run["run"] or "-cleanup-" in run["run"] or world.run("run", "status", "--run", run["run"], "--json").json()["drill"]
               for run in served.get("/api/runs")["runs"]), served.get("/api/runs")
    # Without its Redis saying so this is no sandbox for anybody who is not there.
    lab.client()("DEL", "anclora:dr:sandbox")
    refused = world.run(*lab.words("--unattended"), check=False)
    assert refused.code == 5 and "main does not say that it is lab" in refused.err and lab.lives(), refused
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(PATIENCE) == 0, served.logs()


def row_of_api(path):
    """The cells of the row of docs/api.md about this path."""
    rows = (line.strip("| ").split(" | ") for line in API_DOCUMENT.read_text().splitlines() if line.startswith("| `"))
    return next(cells for cells in rows if f"`{path}`" in cells[0])


def names_of(text):
    return set(re.findall(r"`([a-z][a-z0-9_]*)`", text))


def test_two_places_that_agree_start_what_the_plan_lets_them_start(world):
    lab = Lab(world, capture=False)
    lab.plan.write_text(
        lab.plan.read_text().replace("write: true}, every", "write: true}, from: [here, there], every")
        .replace("all: [{probe: answers}], scenario: lost}", "all: [{probe: answers, at_least: 2}], scenario: lost, start: true, quiet_after: 1h}")
        .replace("[/bin/true]", f'[/usr/bin/tee, -a, "{world.folder}/told"]'))
    served = ServedLab(world, lab, "--site", "here", "--no-drills")

    def protected():
        return served.metric("rpo_seconds", backup="capture") is not None and served.metric("probe_state", probe="answers", vantage="here", state="up") == 1
    world.wait_for("a protected and watched Redis", protected)
    lab.call("lose")
    world.wait_for("it is seen here", lambda: served.metric("probe_state", probe="answers", vantage="here", state="down") == 1)
    assert served.rule("gone") == "quiet" and served.get("/api/incidents")["incidents"] == []  # one of two

    looks = {}  # every name in every answer, by path

    def look(path, document=None):
        reply = served.get(path)
        looks.setdefault(document or path, set()).update(names_in(reply, data=("outputs", "marks", "facts")))
        return reply
    observer = world.spawn("detect", "--plan", lab.plan, "--site", "there", "--report-to", f"http://127.0.0.1:{served.port}",
                           "--token-file", served.tokens, log="there.log")
    run = world.wait_for("the run", lambda: look("/api/status")["runs"], every=0.02)[0]["run"]

    def over():
        look("/api/status"), look("/api/runs")
        if served.ask("GET", f"/api/runs/{run}")[0] == 404:
            return False  # its process has just begun
        return look(f"/api/runs/{run}", "/api/runs/ID")["state"] not in ("running", "interrupted")
    world.wait_for("its end", over, every=0.2)
    report = served.get(f"/api/runs/{run}")
    # Nobody approved: the rule's policy was the declaration.
    assert report["state"] == "finished" and report["declaration"]["granted"], (report, served.logs())
    assert report["declaration"]["given"] == ["rule/gone"], report["declaration"]
    assert lab.spare.client()("DBSIZE") >= 200
    incident = look("/api/incidents")["incidents"][0]["incident"]
    another_loss_is_told(world, served, lab, incident, run)
    observer.send_signal(signal.SIGTERM)
    assert observer.wait(PATIENCE) in (0, 1), world.logs()

    look(f"/api/incidents/{incident}", "/api/incidents/ID")
    for path in ("/api/probes", "/api/verdicts", "/api/drills"):
        look(path)
    as_commands = {"/api/probes": "detect", "/api/verdicts": "detect", "/api/drills": "drill", "/api/incidents": "incident",
                   "/api/incidents/ID": "incident", "/api/runs/ID": "run"}
    for path, names in looks.items():
        known = names_of(row_of_api(f"GET {path}")[-1]) | (documented(as_commands[path]) if path in as_commands else set())
        assert names <= known, f"docs/api.md, {path}: no word about {sorted(names - known)}"
    for path in ("/api/status", "/api/runs"):
        never = names_of(row_of_api(f"GET {path}")[-1]) - looks[path] - {"problem", "journal"}
        assert not never, f"docs/api.md, {path}: {sorted(never)} never come"

    def released():  # once serve has seen that the run is over
        answer = served.ask("POST", "/api/rules/gone/release", {"as": "ada"})
        return answer if answer[0] == 200 else None
    decided = {"POST /api/incidents/ID/ack": served.ask("POST", f"/api/incidents/{incident}/ack", {"as": "ada"}),
               "POST /api/rules/ID/release": world.wait_for("the release", released),
               "POST /api/readings": served.ask("POST", "/api/readings", [])}
    for path, (status, reply) in decided.items():
        assert status == 200 and set(reply) == names_of(row_of_api(path)[-1]), (path, status, reply)


def another_loss_is_told(world, served, lab, incident, run):
    """A rule that has acted starts nothing, but people hear of what it sees, and what they may do."""
    world.wait_for("the rule keeps quiet", lambda: served.rule("gone") == "silenced")
    lab.call("again")
    world.wait_for("all is well", lambda: served.rule("gone") == "quiet")
    before = {each["run"] for each in served.get("/api/runs")["runs"]}
    lab.call("lose")
    world.wait_for("it is confirmed", lambda: served.rule("gone") == "confirmed")

    def told():
        deliveries = served.get(f"/api/incidents/{incident}")["deliveries"]
        return [each for each in deliveries if each["event"] == "again-1/escalation/first/1" and each["state"] == "sent"]
    world.wait_for("it is told again", told)
    message = (world.folder / "told").read_text().splitlines()[-1]
    for text in ("Again, after it was restored", f"Nothing was started: run {run} recovered it", "/api/rules/gone/release",
                 "Start it: anclora run start lost"):
        assert text in json.loads(message)["text"], message
    assert served.get(f"/api/incidents/{incident}")["verdicts"][-1]["not_started"].startswith(f"run {run} recovered it")
    assert {each["run"] for each in served.get("/api/runs")["runs"]} == before, served.logs()


def test_promtool_accepts_the_example_of_alert_rules(world):
    rules = pathlib.Path(__file__).resolve().parents[2] / "docs" / "operations" / "anclora-alerts.yaml"
    checked = subprocess.run(["promtool", "check", "rules", str(rules)], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert checked.returncode == 0 and "rules found" in checked.stdout, checked
    documented = (rules.parent / "metrics.md").read_text()
    named = set(re.findall(r"anclora_([a-z_]+)", "".join(line for line in rules.read_text().splitlines() if "expr:" in line)))
    assert named and all(f"`{name}`" in documented for name in named), named
