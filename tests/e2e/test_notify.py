"""How people are told: by a real mail server (Debian's aiosmtpd) and a webhook, from the command line and from a run's
steps; with wrong certificates, a server that hangs, one that is busy. PagerDuty is a stub of its documented answers."""
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time

from harness import free_port
from test_run import Site, finish
from test_tls import Authority

LOCAL_SITE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "local-site"
DEBIAN_PYTHON = "/usr/bin/python3"  # has aiosmtpd

TLS_SINK = """import pathlib, ssl, sys, threading
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
folder, port, mode = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
certificate.load_cert_chain(sys.argv[4], sys.argv[5])
refusals = int(sys.argv[6]) if len(sys.argv) > 6 else 0

def note(name, text):
    with open(folder / name, "a") as out:
        out.write(text + "\\n")

class Sink:
    left = refusals
    async def handle_RCPT(self, server, session, envelope, address, options):
        if Sink.left > 0:
            Sink.left -= 1
            return "451 try again later"
        if address.startswith("nobody@"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 ok"
    async def handle_DATA(self, server, session, envelope):
        note("mails", "tls=" + str(session.ssl is not None) + " from=" + envelope.mail_from)
        return "250 kept"

def authenticate(server, session, envelope, mechanism, data):
    note("logins", data.login.decode() + ":" + data.password.decode())
    return AuthResult(success=data.password == b"mail-secret-8812", handled=False)

options = dict(hostname="127.0.0.1", port=port, authenticator=authenticate, auth_required=mode != "open")
if mode == "smtps":
    controller = Controller(Sink(), ssl_context=certificate, auth_require_tls=False, **options)
else:
    controller = Controller(Sink(), tls_context=certificate, require_starttls=mode == "starttls", **options)
controller.start()
threading.Event().wait()
"""

PLAN = """version: 1
service: tienda
objectives: {{severity: [{{id: critical, rto: 15m, rto_max: 30m}}], data: [{{id: jobs, rpo: 5m, targets: [main]}}]}}
sites: [{{id: here, primary: true}}, {{id: there}}]
targets:
  - {{id: main, kind: redis, site: here, url: env:MAIN_URL}}
  - {{id: copies, kind: repository, site: there, url: "/nowhere", passphrase: env:NOTHING}}
backups: [{{id: capture, target: main, repository: copies, data: jobs, continuous: true, lag: 5s, keep: {{daily: 7d}}}}]
probes: [{{id: answers, uses: probe.redis, with: {{target: main}}, from: [here, there], every: 5s, timeout: 2s}}]
detection: [{{id: gone, all: [{{probe: answers, is: down, at_least: 2}}], for: 15s, scenario: lost}}]
scenarios:
  - id: lost
    title: Lost
    severity: critical
    undo_window: 10m
    declare: {{roles: [oncall], timeout: 1s, on_timeout: proceed}}
    steps: [{{id: tell, uses: people.notify, with: {{contacts: [oncall], text: hello}}, budget: 5s, timeout: 1m}}]
    restored: [{{probe: answers}}]
contacts:
  - {{id: ada, name: Ada, roles: [oncall], channels: [{channels}]}}
escalation: [{{id: first, severity: critical, contacts: [oncall], after: 0s, acknowledge_within: 3m}}]
"""


def contacts_plan(world, *channels):
    path = world.folder / "plan.yaml"
    path.write_text(PLAN.format(channels=", ".join("{" + each + "}" for each in channels)))
    return path


def started(world, argv, port):
    log = open(world.folder / f"sink-{port}.log", "ab")
    process = subprocess.Popen([*map(str, argv)], stdout=log, stderr=log)
    world.processes.append(process)
    def answers():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0
    world.wait_for("the sink listens", answers)
    return process


def mail_sink(world):
    port, folder = free_port(), world.folder / "mails"
    started(world, [DEBIAN_PYTHON, LOCAL_SITE / "smtp_sink.py", port, folder], port)
    return port, lambda: [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in sorted(folder.glob("*.eml"))]


def webhook_sink(world, name="hooks"):
    port, folder = free_port(), world.folder / name
    started(world, [sys.executable, LOCAL_SITE / "webhook_sink.py", port, folder], port)
    return port, lambda: [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def tls_sink(world, authority, mode, name, refusals=0):
    port, folder = free_port(), world.folder / f"tls-{mode}-{name}"
    folder.mkdir()
    certificate, key = authority.sign(f"mail-{mode}-{name}", "IP:127.0.0.1" if name != "stranger" else "DNS:elsewhere.net")
    (world.folder / "tls_sink.py").write_text(TLS_SINK)
    started(world, [DEBIAN_PYTHON, world.folder / "tls_sink.py", folder, port, mode, certificate, key, refusals], port)
    return port, lambda what: (folder / what).read_text().splitlines() if (folder / what).exists() else []


class Scripted:
    """An HTTP server of ours that answers by `script`: (status, headers) each; the last one stays."""

    def __init__(self, world, *script):
        self.requests, script = [], list(script)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append((time.monotonic(), dict(self.headers.items()), json.loads(body)))
                status, headers = script.pop(0) if len(script) > 1 else script[0]
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        world.cleanups.append(self.server.shutdown)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


def deliveries(world, plan, *options, env=None, code=0):
    outcome = world.run("plan", "test-contacts", plan, "--json", *options, env=env, check=False)
    assert outcome.code == code, outcome
    return outcome.json()["deliveries"], outcome


def test_every_channel_is_tried_and_says_what_became_of_it(world):
    mail, mails = mail_sink(world)
    hook, hooks = webhook_sink(world)
    pager = Scripted(world, (202, {}))
    plan = contacts_plan(world, f"kind: smtp, to: ada@shop.net, server: 'smtp://127.0.0.1:{mail}', sender: dr@shop.net",
                         "kind: webhook, url: env:HOOK, secret: env:HOOK_SECRET", "kind: phone, number: '+34 600 123 457'",
                         f"kind: pagerduty, routing_key: env:PAGER_KEY, url: '{pager.url}/v2/enqueue'",
                         f"kind: command, argv: ['{sys.executable}', -c, 'import json,sys; json.load(sys.stdin)']")
    env = {"HOOK": f"http://127.0.0.1:{hook}/hook/T0-hidden", "HOOK_SECRET": "sign-4711", "PAGER_KEY": "pager-key-9931"}
    told, outcome = deliveries(world, plan, "--text", "avería: ñ €", env=env)
    assert [(d["channel"], d["state"]) for d in told] == [
        ("smtp", "sent"), ("webhook", "sent"), ("phone", "skipped"), ("pagerduty", "sent"), ("command", "sent")], told
    [message] = mails()
    assert message["To"] == "ada@shop.net" and message["X-Sink-From"] == "dr@shop.net", message
    assert message["Subject"] == "TEST: tienda: anclora plan test-contacts"
    assert "avería: ñ €" in message.get_content()
    [request] = hooks()
    assert "avería: ñ €" in json.loads(request["body"])["text"]
    headers = {name.lower(): value for name, value in request["headers"].items()}
    signed = hmac.new(b"sign-4711", f"{headers['x-anclora-timestamp']}.{request['body']}".encode(), hashlib.sha256)
    assert headers["x-anclora-signature"] == "sha256=" + signed.hexdigest()
    # A test that opens an incident closes it again.
    actions = [(body["event_action"], body["dedup_key"]) for _, _, body in pager.requests]
    assert [action for action, _ in actions] == ["trigger", "resolve"] and len({key for _, key in actions}) == 1, actions
    for secret in ("T0-hidden", "sign-4711", "pager-key-9931"):
        assert secret not in outcome.out + outcome.err


def test_a_contact_that_nothing_reaches_ends_with_1_and_secrets_stay_unsaid(world):
    plan = contacts_plan(world, f"kind: webhook, url: env:HOOK", "kind: phone, number: '+34 600 123 457'")
    env = {"HOOK": f"http://127.0.0.1:{free_port()}/hook/T0-hidden"}
    outcome = world.run("plan", "test-contacts", plan, "--timeout", "2s", env=env, check=False)
    assert outcome.code == 1 and "nothing reaches ada" in outcome.out, outcome
    assert "T0-hidden" not in outcome.out + outcome.err
    unset = world.run("plan", "test-contacts", plan, check=False)
    assert unset.code == 1 and "env:HOOK is not set" in unset.out, unset
    wrong = world.run("plan", "test-contacts", plan, "--contact", "zoe", check=False)
    assert wrong.code == 3 and "the contacts are: ada" in wrong.err, wrong


def test_mail_is_sent_to_no_server_but_the_right_one(world):
    ours, others = Authority(world.folder / "ours"), Authority(world.folder / "others")
    starttls, seen = tls_sink(world, ours, "starttls", "right")
    smtps, seen_smtps = tls_sink(world, ours, "smtps", "right")
    stranger, seen_stranger = tls_sink(world, ours, "starttls", "stranger")
    login = "username: dr, password: env:MAIL_PASSWORD"
    env = {"MAIL_PASSWORD": "mail-secret-8812"}

    def attempt(scheme, port, more, **kwargs):
        plan = contacts_plan(world, f"kind: smtp, to: ada@shop.net, server: '{scheme}://127.0.0.1:{port}', sender: dr@shop.net, {more}")
        [told], outcome = deliveries(world, plan, **kwargs)
        assert "mail-secret-8812" not in outcome.out + outcome.err, outcome
        return told

    right = f"{login}, ca_file: '{ours.file}'"
    assert attempt("smtp", starttls, right, env=env)["state"] == "sent"
    assert attempt("smtps", smtps, right, env=env)["state"] == "sent"
    assert seen("mails") == ["tls=True from=dr@shop.net"] and len(seen_smtps("mails")) == 1
    assert seen("logins") == ["dr:mail-secret-8812"]
    # The wrong authority, the system's (which does not know it), another name: refused before the password is sent.
    for scheme, port in (("smtp", starttls), ("smtps", smtps)):
        for authority in (f"{login}, ca_file: '{others.file}'", login):
            told = attempt(scheme, port, authority, env=env, code=1)
            assert told["state"] == "failed" and told["attempts"] == 1 and "ertificate" in told["detail"], told
    told = attempt("smtp", stranger, right, env=env, code=1)
    assert told["attempts"] == 1 and seen_stranger("logins") == [], told
    assert len(seen("logins")) == 1 and len(seen_smtps("logins")) == 1
    # A wrong password is refused once; it is not tried again and again.
    told = attempt("smtp", starttls, right, env={"MAIL_PASSWORD": "wrong-word"}, code=1)
    assert told["attempts"] == 1 and "535" in told["detail"], told


def test_a_mail_server_that_wants_no_tls_is_refused_where_tls_is_required(world):
    port, mails = mail_sink(world)
    plan = contacts_plan(world, f"kind: smtp, to: ada@shop.net, server: 'smtp://127.0.0.1:{port}', sender: dr@shop.net, tls: required")
    [told], _ = deliveries(world, plan, code=1)
    assert told["attempts"] == 1 and "STARTTLS" in told["detail"] and mails() == [], told


def test_a_mail_server_that_is_busy_is_tried_again_and_one_that_refuses_is_not(world):
    authority = Authority(world.folder / "ours")
    port, seen = tls_sink(world, authority, "open", "busy", refusals=2)
    channel = "kind: smtp, to: {}@shop.net, server: 'smtp://127.0.0.1:" + str(port) + "', sender: dr@shop.net, tls: none"
    [told], _ = deliveries(world, contacts_plan(world, channel.format("ada")))
    assert told["state"] == "sent" and told["attempts"] == 3 and len(seen("mails")) == 1, told
    [told], _ = deliveries(world, contacts_plan(world, channel.format("nobody")), code=1)
    assert told["attempts"] == 1 and "550" in told["detail"], told


def test_a_server_that_hangs_delays_no_other_channel(world):
    hook, hooks = webhook_sink(world)
    silent = socket.create_server(("127.0.0.1", 0))
    world.cleanups.append(silent.close)
    plan = contacts_plan(world, f"kind: smtp, to: ada@shop.net, server: 'smtp://127.0.0.1:{silent.getsockname()[1]}', sender: dr@shop.net",
                         f"kind: webhook, url: env:HANGS", "kind: webhook, url: env:HOOK")
    witness, begun = world.witness(), time.time()
    told, _ = deliveries(world, plan, "--timeout", "20s", code=1,
                         env={"HOOK": f"http://127.0.0.1:{hook}/", "HANGS": f"http://127.0.0.1:{silent.getsockname()[1]}/"})
    ended = time.time()
    assert [d["state"] for d in told] == ["failed", "failed", "sent"], told
    # The others were tried for all of their time, and no longer.
    assert ended - begun >= 20 and hooks()[0]["at"] < ended - 10
    assert ended - begun < witness.limit(28)


def test_retry_after_is_heeded_and_errors_of_the_server_are_tried_again(world):
    busy = Scripted(world, (429, {"Retry-After": "2"}), (500, {}), (200, {}))
    broken = Scripted(world, (500, {}))
    gone = Scripted(world, (410, {}))
    plan = contacts_plan(world, *(f"kind: webhook, url: env:{name}" for name in ("BUSY", "BROKEN", "GONE")))
    told, _ = deliveries(world, plan, "--timeout", "60s", code=1, env={"BUSY": busy.url, "BROKEN": broken.url, "GONE": gone.url})
    assert [(d["state"], d["attempts"]) for d in told] == [("sent", 3), ("failed", 5), ("failed", 1)], told
    assert busy.requests[1][0] - busy.requests[0][0] >= 1.9
    assert [d["detail"] for d in told[1:]] == ["status 500", "status 410"], told


def run_site(world, *steps):
    """A plan of exec steps as in test_run, with contacts that are told by mail and webhook."""
    mail, mails = mail_sink(world)
    hook, hooks = webhook_sink(world)
    site = Site(world, list(steps))
    text = site.plan.read_text()
    for name in ("ada", "bob"):
        text = re.sub(r"(id: %s, .*?channels: )\[.*\]" % name,
                      rf"\1[{{kind: smtp, to: {name}@shop.net, server: 'smtp://127.0.0.1:{mail}', sender: dr@shop.net}}, "
                      r'{kind: webhook, url: "env:HOOK"}]', text)
    site.plan.write_text(text)
    world.environment["HOOK"] = f"http://127.0.0.1:{hook}/hook/T0-hidden"
    return site, mails, hooks


def journal(world):
    return "".join(path.read_text() for path in (world.folder / "state" / "runs").glob("*/journal-*.jsonl"))


def test_a_step_tells_people_once(world):
    site, mails, hooks = run_site(world, '{id: tell, uses: people.notify, with: {contacts: [lead, ada], text: "Redis is back"}, budget: 5s, timeout: 1m}')
    assert finish(site.start()) == 0, world.logs()
    assert sorted(mail["To"] for mail in mails()) == ["ada@shop.net", "bob@shop.net"]
    assert {mail["Subject"] for mail in mails()} == {"shop: Redis is back"} and len(hooks()) == 2
    assert "T0-hidden" not in journal(world) and "bob by webhook: sent" in journal(world)


def test_a_step_whose_contacts_nothing_reaches_pauses_the_run(world):
    site, mails, _ = run_site(world, '{id: tell, uses: people.notify, with: {contacts: [bob], text: "hello"}, budget: 1s, timeout: 20s}')
    world.environment["HOOK"] = f"http://127.0.0.1:{free_port()}/"
    site.plan.write_text(re.sub(r"smtp://127.0.0.1:\d+", f"smtp://127.0.0.1:{free_port()}", site.plan.read_text()))
    process = site.start()
    site.wait_state("tell", "failed_paused")
    world.run("run", "skip", "tell", "--as", "bob", "--reason", "told by shouting")
    assert finish(process) == 0 and mails() == []


def test_a_page_climbs_until_somebody_answers(world):
    site, mails, _ = run_site(world, '{id: page, uses: people.page, with: {contacts: [ada, lead], text: "Redis is lost", acknowledge_within: 3s}, budget: 5s, timeout: 30m}')
    begun, process = time.monotonic(), site.start()
    world.wait_for("bob is called", lambda: len(mails()) == 2)
    assert time.monotonic() - begun >= 3 and [mail["To"] for mail in mails()] == ["ada@shop.net", "bob@shop.net"]
    command = re.search(r"Acknowledge: anclora (.*)", mails()[1].get_content()).group(1)
    assert "run done page" in command, command
    world.run("run", "done", "page", "--run", site.status()["run"], "--as", "bob", "--evidence", "I have it")
    assert finish(process) == 0, world.logs()
    assert site.step("page")["state"] == "manual_done"


def test_an_acknowledged_incident_answers_its_page(world):
    site, mails, _ = run_site(world, '{id: page, uses: people.page, with: {contacts: [ada], text: "Redis is lost", acknowledge_within: 20m}, budget: 5s, timeout: 30m}')
    process = site.start()
    world.wait_for("ada is called", lambda: len(mails()) == 1)
    world.run("incident", "ack", "--as", "ada")
    assert finish(process) == 0, world.logs()
    assert site.step("page")["state"] == "done" and "ada has it" in journal(world)


def test_a_page_that_nobody_answers_fails_or_proceeds_as_the_plan_says(world):
    page = '{id: %s, uses: people.page, with: {contacts: [ada], text: "x%s", acknowledge_within: 1s%s}, budget: 5s, timeout: 1m}'
    site, mails, _ = run_site(world, page % ("soft", 1, ", unanswered: proceed"), page % ("hard", 2, ""))
    process = site.start()
    site.wait_state("hard", "failed_paused")
    assert site.step("soft")["state"] == "done" and "nobody of ada acknowledged" in journal(world)
    # Another attempt calls again: to be skipped as somebody who was told would page nobody.
    called = len([mail for mail in mails() if "x2" in mail["Subject"]])
    world.run("run", "resume", "--retry", "hard", "--as", "bob")
    world.wait_for("ada is called again", lambda: len([mail for mail in mails() if "x2" in mail["Subject"]]) == called + 1)
    site.wait_state("hard", "failed_paused")
    world.run("run", "done", "hard", "--as", "bob", "--evidence", "called by phone")
    assert finish(process) == 0, world.logs()


def test_a_run_that_is_killed_while_it_tells_tells_nobody_twice(world):
    site, mails, hooks = run_site(world, '{id: page, uses: people.page, with: {contacts: [ada], text: "Redis is lost", acknowledge_within: 20m}, budget: 5s, timeout: 30m}')
    process = site.start()
    world.wait_for("both were told", lambda: journal(world).count("told.ada.") >= 2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    resumed = world.spawn("run", "resume", log="resumed.log")
    site.wait_state("page", "running")
    time.sleep(1.5)
    world.run("run", "done", "page", "--as", "ada", "--evidence", "I have it")
    assert finish(resumed) == 0, world.logs()
    assert len(mails()) == 1 and len(hooks()) == 1, (len(mails()), len(hooks()))
