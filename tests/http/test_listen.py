"""Where the service listens: loopback, elsewhere, UNIX sockets, sockets that systemd passes, TLS."""

import contextlib
import grp
import os
import pathlib
import signal
import socket
import ssl
import stat
import subprocess
import sys

import pytest

from http_client import bearer
from sandbox_serve import SERVE, command, isolated, network_of, options, says
from waiting import until

pytestmark = pytest.mark.cold

RUN = {"code": "print('RAN')"}


# ── Loopback and elsewhere ───────────────────────────────────────────────────────────────────────


def test_without_options_it_is_on_loopback_alone(launch):
    """In a network namespace of its own, so that the port is free."""
    server = launch(isolated([SERVE]))
    assert server.listening().address == ("127.0.0.1", 8000)
    table = pathlib.Path(f"/proc/{server.pid}/net/tcp").read_text().splitlines()[1:]
    listening = {line.split()[1] for line in table if line.split()[3] == "0A"}
    assert listening == {"0100007F:1F40"}
    server.stop()


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"])
def test_elsewhere_than_on_loopback_it_refuses_without_tokens(refused, address):
    said = refused(listen=address)
    assert "token" in said and "--insecure" in said


@pytest.mark.parametrize("allowed", ["tokens", "insecure"])
def test_elsewhere_it_listens_with_tokens_or_when_told(launch, token, allowed):
    alice = token("alice")
    more = {"tokens": token.file} if allowed == "tokens" else {"insecure": True}
    server = launch(isolated(command(listen="0.0.0.0:0", **more)))
    host, port = server.listening().address
    assert host == "0.0.0.0"
    with network_of(server):
        for address in ("127.0.0.1", "192.0.2.1"):
            answer = server.post("/run", RUN, {"Host": f"{address}:{port}", **bearer(alice)}, address=(address, port))
            assert answer.json["output"] == "RAN"
    server.stop()


def test_it_listens_at_several_addresses(serve, tmp_path):
    server = serve(listen=["127.0.0.1:0", "127.0.0.5:0", f"unix:{tmp_path}/socket"])
    said = [record["message"] for record in server.log.wait(says("listening on "), 3)]
    assert len(said) == 3
    assert server.get("/health", address=str(tmp_path / "socket")).status == 200


def test_ipv6_loopback_is_loopback(serve):
    if not pathlib.Path("/proc/net/if_inet6").exists() or "lo" not in pathlib.Path("/proc/net/if_inet6").read_text():
        pytest.skip("this host has no IPv6")
    server = serve(listen="[::1]:0")
    assert server.post("/run", RUN).json["output"] == "RAN"


def test_a_port_that_is_taken_is_named(server, refused):
    said = refused(listen=f"127.0.0.1:{server.address[1]}")
    assert str(server.address[1]) in said and "in use" in said


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:x", "unix:", ":", "",
                                     "unix:relative/path", "unix:/" + "x" * 200])
def test_an_address_that_cannot_be_is_refused_by_name(refused, address):
    said = refused(listen=address)
    assert "listen" in said or "takes an absolute path" in said


# ── UNIX sockets ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def path(tmp_path):
    return tmp_path / "socket"


def test_a_unix_socket_answers_and_is_gone_afterwards(serve, path):
    server = serve(listen=f"unix:{path}")
    assert server.post("/run", RUN).json["output"] == "RAN"
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    server.stop()
    assert not path.exists()


def test_a_unix_socket_has_the_mode_and_group_that_were_asked_for(serve, path):
    if os.geteuid() != 0:
        pytest.skip("needs root: to give a socket to another group")
    server = serve(listen=f"unix:{path}", socket_mode="0600", socket_group="daemon")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert grp.getgrgid(path.stat().st_gid).gr_name == "daemon"
    assert server.get("/health").status == 200


def test_who_may_not_open_the_socket_may_not_ask(serve, path):
    if os.geteuid() != 0:
        pytest.skip("needs root: to become somebody else")
    path.parent.chmod(0o755)
    serve(listen=f"unix:{path}")
    code = f"import socket; socket.socket(socket.AF_UNIX).connect({str(path)!r})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, user="nobody", group="nogroup",
                         extra_groups=[], check=False)
    assert "PermissionError" in ran.stderr or "Permission denied" in ran.stderr


def test_a_socket_that_a_dead_server_left_is_taken_over(launch, serve, path):
    first = launch(command(listen=f"unix:{path}")).listening()
    first.kill()
    first.wait()
    assert path.exists()
    assert serve(listen=f"unix:{path}").get("/health").status == 200


def test_a_socket_of_a_living_server_is_not_taken_over(serve, refused, path):
    server = serve(listen=f"unix:{path}")
    assert str(path) in refused(listen=f"unix:{path}")
    assert server.get("/health").status == 200


def test_a_file_that_is_no_socket_is_left_alone(refused, path):
    path.write_text("mine")
    assert str(path) in refused(listen=f"unix:{path}")
    assert path.read_text() == "mine"


# ── Socket activation ────────────────────────────────────────────────────────────────────────────

# What systemd does: the sockets are descriptors 3 and up, LISTEN_PID is the process that gets them.
ACTIVATE = """
import os, sys
fds = [int(fd) for fd in sys.argv[1].split(",")]
high = list(map(os.dup, fds))
for number, fd in enumerate(high): os.dup2(fd, 100 + number)
for number in range(len(fds)): os.dup2(100 + number, 3 + number, inheritable=True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)))
os.closerange(3 + len(fds), 256)
os.execv(sys.argv[2], sys.argv[2:])
"""


def activate(launch, sockets, *words):
    fds = [listening.fileno() for listening in sockets]
    return launch([sys.executable, "-c", ACTIVATE, ",".join(map(str, fds)), SERVE, *words], pass_fds=fds)


@pytest.fixture
def sockets(path):
    tcp = socket.create_server(("127.0.0.1", 0))
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(str(path))
    unix.listen()
    with tcp, unix:
        yield tcp, unix


def test_sockets_that_systemd_passes_are_served(launch, sockets, path):
    server = activate(launch, sockets)
    server.listening()
    server.address = sockets[0].getsockname()
    assert server.post("/run", RUN).json["output"] == "RAN"
    assert server.post("/run", RUN, address=str(path)).json["output"] == "RAN"
    server.stop()
    assert path.exists(), "the socket is systemd's"


def test_a_client_that_came_before_the_service_is_answered(launch, sockets):
    early = socket.create_connection(sockets[0].getsockname())
    early.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    server = activate(launch, sockets)
    with early:
        assert early.makefile("rb").read().startswith(b"HTTP/1.1 200")
    server.stop()


def test_a_passed_socket_that_is_not_on_loopback_needs_tokens_too(launch):
    """Of a network namespace of its own: nothing of this host listens."""
    code = ACTIVATE.replace("fds = [int(fd) for fd in sys.argv[1].split(',')]", "").replace(
        'fds = [int(fd) for fd in sys.argv[1].split(",")]',
        "import socket\nkept = socket.create_server(('0.0.0.0', 0))\nfds = [kept.fileno()]")
    server = launch(isolated([sys.executable, "-c", code, "-", SERVE]))
    assert server.wait() != 0
    assert "--insecure" in str(server.log)


def test_sockets_that_are_meant_for_another_process_are_not_taken(launch, sockets):
    server = launch(command(), env={"LISTEN_PID": "1", "LISTEN_FDS": "2"})
    assert server.listening().get("/health").status == 200
    server.stop()


def test_jobs_inherit_no_socket(launch, sockets):
    server = activate(launch, sockets)
    server.listening()
    server.address = sockets[0].getsockname()
    code = "import os; print([os.readlink('/proc/self/fd/%s' % fd) for fd in range(3, 100) " \
           "if os.path.exists('/proc/self/fd/%s' % fd)], {name for name in os.environ if 'LISTEN' in name})"
    assert "socket" not in server.run(code)["output"]
    assert server.run(code)["output"].endswith(" set()")
    server.stop()


# ── TLS ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def certificate(tmp_path):
    """certificate("name") makes a key and a certificate that signs itself; (cert, key)."""
    def make(name, days=2):
        cert, key = tmp_path / f"{name}.pem", tmp_path / f"{name}.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", key, "-out", cert, "-days", str(days), "-subj", f"/CN={name}",
                        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
        return cert, key
    return make


def test_a_certificate_that_can_not_be_used_is_named_with_what_is_wanted(refused, certificate, tmp_path):
    (cert, key), (_, other) = certificate("first"), certificate("second")
    for pair in ((key, cert), (cert, other)):
        said = refused(tls_cert=pair[0], tls_key=pair[1])
        assert str(pair[0]) in said and "as --tls-cert" in said and ".;" not in said, said
    said = refused(tls_cert=cert, tls_key=tmp_path / "none")
    assert f"the key of --tls-key {tmp_path}/none is not there: name one that is" in said
    assert f"{tmp_path} is not a file: name the certificate of --tls-cert" in refused(tls_cert=tmp_path, tls_key=key)


@pytest.mark.parametrize("listen, remedy", [("unix:{place}/none/socket", "create its directory first"),
                                            ("192.0.2.77:8000", "an address of this host")])
def test_a_place_where_it_can_not_listen_is_told_with_a_remedy(refused, tmp_path, listen, remedy):
    assert remedy in refused(listen=listen.format(place=tmp_path), insecure=True)


def trusting(cert):
    return ssl.create_default_context(cafile=str(cert))


@pytest.fixture
def secure(serve, certificate):
    """A server with TLS; (server, cert, key)."""
    cert, key = certificate("first")
    server = serve(tls_cert=cert, tls_key=key)
    server.tls = trusting(cert)
    return server, cert, key


def test_tls_carries_requests(secure):
    server, _, _ = secure
    assert server.post("/run", RUN).json["output"] == "RAN"
    with server.connect() as connection:
        assert connection.socket.version() in ("TLSv1.2", "TLSv1.3")
        for number in range(3):
            assert connection.ask("POST", "/run", {"code": f"print({number})"}).answer().json["output"] == str(number)


def test_a_large_answer_comes_whole_through_tls(secure):
    server, _, _ = secure
    answer = server.run("print('x' * 900_000)")
    assert len(answer["output"]) == 900_000


def test_plain_http_is_not_answered_where_tls_is_spoken(secure):
    server, _, _ = secure
    server.tls = None
    with server.connect() as connection:
        connection.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"healthy" not in connection.rest()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_tls_is_refused(secure, version):
    server, cert, _ = secure
    server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    server.tls.load_verify_locations(cert)
    server.tls.set_ciphers("ALL:@SECLEVEL=0")
    server.tls.minimum_version = server.tls.maximum_version = version
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        server.connect()


def test_a_client_that_never_finishes_its_handshake_holds_nobody_up(secure):
    server, _, _ = secure
    with socket.create_connection(server.address) as silent, socket.create_connection(server.address) as half:
        half.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
        assert server.post("/run", RUN).json["output"] == "RAN"
        assert silent and half


def seen_certificate(server):
    with contextlib.closing(socket.create_connection(server.address)) as plain:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with context.wrap_socket(plain) as secured:
            return secured.getpeercert(binary_form=True)


def test_a_new_certificate_is_taken_on_reload_without_losing_anyone(secure, certificate):
    server, cert, key = secure
    old = seen_certificate(server)
    with server.connect() as before:
        new_cert, new_key = certificate("second")
        new_cert.replace(cert)
        new_key.replace(key)
        server.signal(signal.SIGHUP)
        until(lambda: seen_certificate(server) != old)
        assert before.ask("POST", "/run", RUN).answer().json["output"] == "RAN"
    server.tls = trusting(cert)
    assert server.post("/run", RUN).json["output"] == "RAN"


def test_metrics_tell_when_the_certificate_in_use_expires(secure, certificate):
    server, cert, key = secure

    def expiry(path):
        text = subprocess.run(["openssl", "x509", "-enddate", "-noout", "-in", path], check=True, capture_output=True,
                              text=True).stdout
        return ssl.cert_time_to_seconds(text.strip().removeprefix("notAfter="))
    first = expiry(cert)
    assert server.metric("sandbox_certificate_expiry_timestamp_seconds") == first
    new_cert, new_key = certificate("second", days=7)
    second = expiry(new_cert)
    cert.write_bytes(new_cert.read_bytes() + cert.read_bytes())
    new_key.replace(key)
    old = seen_certificate(server)
    server.signal(signal.SIGHUP)
    until(lambda: seen_certificate(server) != old)
    server.tls = trusting(new_cert)
    assert server.metric("sandbox_certificate_expiry_timestamp_seconds") == first < second, "the first of the chain"


@pytest.mark.parametrize("wrong", ["nonsense", "another key", "nothing", "empty"])
def test_a_wrong_certificate_on_reload_leaves_the_old_one(secure, certificate, wrong):
    server, cert, key = secure
    old = seen_certificate(server)
    if wrong == "nonsense":
        cert.write_text("what is this")
    elif wrong == "another key":
        certificate("second")[1].replace(key)
    elif wrong == "empty":
        key.write_text("")
    else:
        cert.unlink()
    server.signal(signal.SIGHUP)
    server.log.wait(lambda record: str(cert) in record["message"] or str(key) in record["message"])
    assert seen_certificate(server) == old
    assert server.post("/run", RUN).json["output"] == "RAN"


@pytest.mark.parametrize("given", [("tls_cert",), ("tls_key",)])
def test_a_certificate_without_its_key_is_refused(certificate, refused, given):
    cert, key = certificate("first")
    files = {"tls_cert": cert, "tls_key": key}
    assert "tls" in refused(**{name: files[name] for name in given})


def test_a_wrong_certificate_at_the_start_is_refused_by_name(certificate, refused):
    cert, _ = certificate("first")
    _, other = certificate("second")
    assert str(cert) in refused(tls_cert=cert, tls_key=other) or str(other) in refused(tls_cert=cert, tls_key=other)


def test_tls_and_tokens_go_together(token, serve, certificate):
    alice = token("alice")
    cert, key = certificate("first")
    server = serve(tls_cert=cert, tls_key=key, tokens=token.file)
    server.tls = trusting(cert)
    assert server.post("/run", RUN).status == 401
    assert server.post("/run", RUN, bearer(alice)).json["output"] == "RAN"


# ── Tokens in clear text ─────────────────────────────────────────────────────────────────────────


def warnings(server):
    return [record["message"] for record in server.log.all(lambda record: record["level"] == "warning"
                                                           and "in clear text" in record["message"])]


@pytest.fixture
def reachable(token, launch):
    """reachable(address) starts a service in a network namespace of its own, and returns it once it has answered."""
    def start(*addresses, **chosen):
        alice = token("alice")
        server = launch(isolated(command(listen=addresses, tokens=token.file, cold=True, **chosen))).listening()
        with network_of(server):
            assert server.post("/run", RUN, bearer(alice), address=server.address).status == 200
        return server

    return start


def test_tokens_in_clear_text_on_a_public_address_are_warned_of(reachable):
    server = reachable("192.0.2.1:8000", "127.0.0.1:8000", workers=2)
    server.log.wait(says("in clear text"))
    server.log.wait(says("listening on http://127.0.0.1:8000"))
    server.log.jobs(1)
    said, = warnings(server)
    assert "http://192.0.2.1:8000" in said and "--tls-cert" in said
    assert "127.0.0.1:8000" not in said


def test_tokens_on_loopback_are_not_warned_of(serve, token):
    alice = token("alice")
    server = serve(tokens=token.file)
    assert server.post("/run", RUN, bearer(alice)).status == 200
    server.log.jobs(1)
    assert not warnings(server)


# ── Options ──────────────────────────────────────────────────────────────────────────────────────


def test_options_that_are_not_there_are_refused_by_name(refused):
    assert "nonsense" in refused(nonsense=1)
    assert "jobs" in refused(jobs="many")
    assert "jobs" in refused(*options(jobs=-1))
