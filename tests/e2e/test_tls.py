"""Capture over TLS: the authority, the name and the date of the source's certificate count."""
import subprocess
import time

from harness import PATIENCE, free_port


class Authority:
    """A certificate authority for one test, and the certificates that it signs."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-days", "30",
                     "-subj", "/CN=Anclora test authority")

    def openssl(self, *args):
        subprocess.run(["openssl", *args], cwd=self.folder, check=True, capture_output=True)

    def sign(self, name, subject_alternative, start=None, end=None):
        """Returns the paths of certificate and key."""
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj",
                     f"/CN={name}")
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={subject_alternative}\n")
        if start is None:
            self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                         "-out", f"{name}.crt", "-days", "10", "-extfile", f"{name}.ext")
        else:
            (self.folder / "index.txt").write_text("")
            (self.folder / "serial").write_text("1000\n")
            (self.folder / "ca.cnf").write_text(
                "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n"
                "[p]\ncommonName=supplied\n")
            self.openssl("ca", "-batch", "-config", "ca.cnf", "-in", f"{name}.csr", "-cert", "ca.crt", "-keyfile", "ca.key",
                         "-out", f"{name}.crt", "-startdate", start, "-enddate", end, "-extfile", f"{name}.ext", "-notext")
        return self.folder / f"{name}.crt", self.folder / f"{name}.key"

    @property
    def file(self):
        return self.folder / "ca.crt"


def tls_server(world, authority, name, certificate, *options):
    port = free_port()
    server = world.redis(name, "--tls-port", str(port), "--tls-cert-file", str(certificate[0]), "--tls-key-file",
                         str(certificate[1]), "--tls-ca-cert-file", str(authority.file), "--tls-auth-clients", "no", *options)
    server.tls_port = port
    return server


def refused(world, repo, server, *options, says):
    outcome = world.run("capture", "--source", f"rediss://127.0.0.1:{server.tls_port}", "--repo", repo, *options, check=False,
                        timeout=PATIENCE)
    assert outcome.code not in (0, 1, 16), outcome
    assert any(word in outcome.err.lower() for word in says) and "hint:" in outcome.err, outcome
    status = world.status(repo)
    assert status is None or status["protected_offset"] is None, status
    return outcome


def test_capture_over_tls_protects_and_restores_over_tls(world):
    authority = Authority(world.folder / "ca")
    source = tls_server(world, authority, "source", authority.sign("source", "IP:127.0.0.1"))
    repo = world.init(world.folder / "repo")
    world.spawn("capture", "--source", f"rediss://127.0.0.1:{source.tls_port}", "--source-tls-ca-file", authority.file, "--repo",
                repo, log="capture.log")
    client = source.client()
    client.pipeline([("SET", f"key:{i}", "x" * 100) for i in range(2000)])
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    target = tls_server(world, authority, "target", authority.sign("target", "IP:127.0.0.1"))
    world.run("restore", "--repo", repo, "--to", f"rediss://127.0.0.1:{target.tls_port}", "--target-tls-ca-file", authority.file)
    assert target.digest() == source.digest()


def test_a_target_that_replicates_over_tls_needs_a_certificate_of_ours(world):
    authority = Authority(world.folder / "ca")
    source = world.redis("source")
    repo = world.init(world.folder / "repo")
    world.capture(repo, source)
    client = source.client()
    client.pipeline([("SET", f"key:{i}", "x" * 100) for i in range(2000)])
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))
    target = tls_server(world, authority, "target", authority.sign("target", "IP:127.0.0.1"), "--tls-replication", "yes")
    to = ("restore", "--repo", repo, "--to", f"rediss://127.0.0.1:{target.tls_port}", "--target-tls-ca-file", authority.file)
    outcome = world.run(*to, check=False)
    assert outcome.code == 5 and "tls-replication" in outcome.err, outcome
    assert target.client()("DBSIZE") == 0
    ours = authority.sign("ours", "IP:127.0.0.1")
    world.run(*to, "--listen-tls-cert-file", ours[0], "--listen-tls-key-file", ours[1])
    assert target.digest() == source.digest()


def test_a_certificate_for_another_name_is_refused(world):
    authority = Authority(world.folder / "ca")
    source = tls_server(world, authority, "source", authority.sign("source", "DNS:elsewhere.example"))
    repo = world.init(world.folder / "repo")
    refused(world, repo, source, "--source-tls-ca-file", authority.file, says=["name", "address", "mismatch"])
    # Told the name that it bears, it is taken.
    world.spawn("capture", "--source", f"rediss://127.0.0.1:{source.tls_port}", "--source-tls-ca-file", authority.file,
                "--source-tls-server-name", "elsewhere.example", "--repo", repo, log="capture.log")
    client = source.client()
    client("SET", "a", "b")
    world.wait_protected(repo, int(client.info()["master_repl_offset"]))


def test_an_unknown_authority_is_refused(world):
    authority, other = Authority(world.folder / "ca"), Authority(world.folder / "other-ca")
    source = tls_server(world, authority, "source", authority.sign("source", "IP:127.0.0.1"))
    repo = world.init(world.folder / "repo")
    refused(world, repo, source, "--source-tls-ca-file", other.file, says=["certificate", "verify", "authority"])
    refused(world, repo, source, says=["certificate", "verify", "authority"])


def test_an_expired_certificate_is_refused(world):
    authority = Authority(world.folder / "ca")
    source = tls_server(world, authority, "source",
                        authority.sign("source", "IP:127.0.0.1", start="20200101000000Z", end="20200201000000Z"))
    repo = world.init(world.folder / "repo")
    refused(world, repo, source, "--source-tls-ca-file", authority.file, says=["expired"])


def test_a_plain_port_spoken_to_over_tls_is_told(world):
    source = world.redis("source")
    repo = world.init(world.folder / "repo")
    witness, started = world.witness(), time.monotonic()
    outcome = world.run("doctor", f"rediss://127.0.0.1:{source.port}", check=False)
    assert outcome.code not in (0, 1, 16) and "hint:" in outcome.err and time.monotonic() - started < witness.limit(20), outcome
    assert repo
