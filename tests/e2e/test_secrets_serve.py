"""The canary's second part: tokens of serve, keys of an S3 store, a mail login over TLS, a drill of a scenario. Each secret is
proved to have been used, and found in no output, log, state folder, report or command line."""
import http.client
import json
import sys

from harness import PATIENCE, free_port
from test_notify import DEBIAN_PYTHON, TLS_SINK, started
from test_secrets_canary import Canary
from test_tls import Authority

GIVEN = {"tokens", "alert-secret", "tls_sink.py", "logins"}  # the test's own files, and what its mail server heard


def mail_over_tls(canary):
    """A login that is taken, and one that is refused by a server that names it in its answer."""
    world, secrets = canary.world, canary.secrets
    authority = Authority(world.folder / "authority")
    certificate, key = authority.sign("mail", "IP:127.0.0.1")
    port = free_port()
    (world.folder / "tls_sink.py").write_text(TLS_SINK.replace("mail-secret-8812", secrets["mail password"]))
    started(world, [DEBIAN_PYTHON, world.folder / "tls_sink.py", world.folder, port, "starttls", certificate, key], port)
    world.environment["SMTP_URL"] = f"smtp://127.0.0.1:{port}"
    canary.plan.write_text(canary.plan.read_text().replace(
        "password: env:SMTP_PASSWORD", f"password: env:SMTP_PASSWORD, sender: dr@example.com, ca_file: '{authority.file}'"))
    for password, state in (secrets["mail password"], "sent"), (secrets["wrong mail password"], "failed"):
        told = canary.run("plan", "test-contacts", canary.plan, "--json", codes=None, env={"SMTP_PASSWORD": password}).json()
        assert [each["state"] for each in told["deliveries"] if each["channel"] == "smtp"] == [state], told
    logins = (world.folder / "logins").read_bytes()
    assert {"mail password", "wrong mail password"} <= set(secrets.found_in(logins)), logins


def keys_of_a_store(canary):
    """An S3 endpoint that repeats all that it hears, refusals too. The secret key is never sent: it signs."""
    secrets = canary.secrets
    env = {"AWS_ACCESS_KEY_ID": "canaryaccesskey", "AWS_SECRET_ACCESS_KEY": secrets["S3 secret key"],
           "AWS_SESSION_TOKEN": secrets["S3 session token"], "AWS_REGION": "us-east-1"}
    for status in 403, 400, 200:
        canary.echo.status = status
        for words in ["status"], ["verify"], ["init"]:
            canary.run(*words, "--repo", "s3://bucket/copies", "--s3-endpoint", canary.echo.url, "--s3-path-style",
                       codes=None, env=env)
    canary.echo.status = 200
    heard = b"\n".join(canary.echo.requests)
    assert b"canaryaccesskey/" in heard and "S3 session token" in secrets.found_in(heard), heard[:2000]


def drill_of_a_scenario(canary):
    canary.run("init", "--repo", canary.repo)
    played = f'{{id: lose, uses: exec, with: {{target: tools, argv: ["{sys.executable}", "{canary.world.folder}/leak.py", gone]}}, timeout: 20s}}'
    canary.plan.write_text(canary.plan.read_text().replace("    steps:\n", f"    inject:\n      - {played}\n    steps:\n", 1))
    canary.run("drill", "run", "lost", "--plan", canary.plan, "--on", "lab", "--yes", "--json", codes=(1,))
    drill = canary.run("drill", "show", "--json").json()
    assert drill["scenario"] == "lost" and not drill["passed"], drill
    canary.run("drill", "list", "--json")
    for form in "md", "html", "json":
        canary.run("drill", "report", "--out", canary.world.folder / f"report.{form}")


def tokens_of_serve(canary):
    """Right and wrong ones, in headers, paths and bodies; a detected loss, told by channels that repeat what they hear."""
    world, secrets = canary.world, canary.secrets
    (world.folder / "tokens").write_text(f"{secrets['API token']}\nada:{secrets['token of a person']}\n")
    (world.folder / "alert-secret").write_text(secrets["alert secret"] + "\n")
    port = free_port()
    serve = world.spawn("serve", "--plan", canary.plan, "--listen", f"127.0.0.1:{port}", "--token-file",
                        world.folder / "tokens", "--alert-secret-file", world.folder / "alert-secret", "--jobs-after", "1h",
                        log="serve.log")

    def ask(method, path, token=None, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            reply = connection.getresponse()
            canary.outputs[f"{len(canary.outputs):02} {method} {path.partition('?')[0]}"] = text = reply.read()
            return reply.status, text
        finally:
            connection.close()

    def answers():
        assert serve.poll() is None, world.logs()
        try:
            return ask("GET", "/health")[0] == 200
        except OSError:
            return False
    world.wait_for("the API", answers, 60)
    right, person, wrong = secrets["API token"], secrets["token of a person"], secrets["wrong token"]
    for token, status in (right, 200), (person, 200), (wrong, 401):
        for path in "/api/status", "/api/runs", "/api/incidents", "/api/verdicts":
            assert ask("GET", path, token)[0] == status, path
    ask("GET", f"/api/status?token={wrong}")
    ask("POST", "/api/runs/none/approve", person, {"step": wrong})
    alert = {"version": "4", "alerts": [{"status": "firing", "labels": {"alertname": "RedisDown"}}]}
    taken = [ask("POST", "/alerts", token, alert)[0] for token in (secrets["alert secret"], wrong)]
    assert taken[0] // 100 == 2 and taken[1] == 401, taken
    canary.main.kill()
    world.wait_for("an incident", lambda: b"inc-lost-" in ask("GET", "/api/incidents", right)[1], 60)
    ask("GET", "/metrics")
    serve.terminate()
    serve.wait()


def test_the_secrets_of_serve_a_store_and_a_mail_server_are_found_nowhere(world):
    canary = Canary(world)
    mail_over_tls(canary)
    keys_of_a_store(canary)
    drill_of_a_scenario(canary)
    tokens_of_serve(canary)
    shown = canary.command_lines.stop()
    assert canary.command_lines.looked > 1000 and not shown, shown
    assert canary.secrets.found_in((world.folder / "tokens").read_bytes()) == ["API token", "token of a person"]
    assert {"state", "serve.log"} <= canary.files(), canary.files()
    leaks = {name: found for name, found in canary.leaks().items() if name not in GIVEN}
    assert not leaks, json.dumps(leaks, indent=1)
