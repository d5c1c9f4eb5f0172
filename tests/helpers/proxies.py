"""Real proxies in front of a server, on loopback, with what sandbox-serve(8) says of them."""

import contextlib
import os
import random
import re
import shutil
import socket
import ssl
import subprocess

import pytest

from sandbox_run import CHECKOUT
from sandbox_serve import Elsewhere
from waiting import until

MANUAL = (CHECKOUT / "man" / "sandbox-serve.8").read_text()
NAME = "sandbox.example.org"  # of the site, in the manual
CHAINS = {  # in the manual: where the proxy finds its certificate
    "nginx": {"/etc/ssl/sandbox.pem": "{pem}", "/etc/ssl/sandbox.key": "{pem}"},
    "haproxy": {"/etc/haproxy/sandbox.pem": "{pem}"},
}
# The text around a snippet in the files that Debian installs, except for paths and user.
AROUND = {
    "nginx": """daemon off; {user} pid {place}/pid; error_log stderr; worker_processes 1; events {{}}
http {{ access_log off; client_body_temp_path {place}; proxy_temp_path {place}; fastcgi_temp_path {place};
uwsgi_temp_path {place}; scgi_temp_path {place};
{snippet} }}
""",
    "haproxy": "{snippet}",
}
COMMANDS = {"nginx": ["nginx", "-e", "stderr", "-c"], "haproxy": ["haproxy", "-db", "-q", "-f"]}


def snippet(kind):
    """The manual's example for a proxy."""
    wanted = {"nginx": "proxy_pass", "haproxy": "listen sandbox"}[kind]
    found = [text for text in re.findall(r"^\.Bd .*?\n(.*?)^\.Ed", MANUAL, re.M | re.S) if wanted in text]
    assert len(found) == 1, kind
    return found[0]


def upstream(kind, text, server):
    """The example with the server's place in the stead of the manual's."""
    if isinstance(server.address, str):
        place = {"nginx": f"http://unix:{server.address}", "haproxy": f"unix@{server.address}"}[kind]
        return text.replace({"nginx": "http://127.0.0.1:8000", "haproxy": "127.0.0.1:8000"}[kind], place)
    return text.replace("127.0.0.1:8000", f"127.0.0.1:{server.address[1]}")


def free_port():
    """One that no client's end of a connection has: below those that the kernel gives out."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def plain(server, lines="", tls=True):
    """nginx's least, and more lines."""
    secure = " ssl; ssl_certificate {pem}; ssl_certificate_key {pem};" if tls else ";"
    return ("server { listen 127.0.0.1:443" + secure + " location / {"
            f" proxy_pass http://127.0.0.1:{server.address[1]}; {lines} }} }}")


class Proxy(Elsewhere):
    def __init__(self, kind, text, place, tls=True):
        self.port = free_port()
        text = re.sub(r"(bind|listen) (127\.0\.0\.1)?:?443", rf"\1 127.0.0.1:{self.port}", text)
        user = "user root;" if os.geteuid() == 0 else ""
        config = place / kind
        config.write_text(AROUND[kind].format(snippet=text, place=place, user=user))
        super().__init__(f"http://127.0.0.1:{self.port}")
        if tls:
            self.tls = ssl.create_default_context()
            self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE
        self.process = subprocess.Popen([*COMMANDS[kind], config], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        until(self._answers)

    def _answers(self):
        assert self.process.poll() is None, self.process.stderr.read()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self.process.terminate()
        self.process.communicate()


@pytest.fixture
def proxy(tmp_path):
    """proxy(kind, text) starts one with this configuration; "{pem}" in it is a certificate with its key."""
    proxies = []
    pem = tmp_path / "sandbox.pem"

    def start(kind, text, tls=True):
        if shutil.which(kind, path=f"{os.environ['PATH']}:/usr/sbin") is None:
            pytest.skip(f"{kind} is not installed")
        if tls and not pem.exists():
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                            "-keyout", pem, "-out", tmp_path / "cert", "-days", "2", "-subj", f"/CN={NAME}"],
                           check=True, capture_output=True)
            pem.write_text(pem.read_text() + (tmp_path / "cert").read_text())
        for where, instead in CHAINS[kind].items():
            text = text.replace(where, instead)
        proxies.append(Proxy(kind, text.replace("{pem}", str(pem)), tmp_path, tls))
        return proxies[-1]

    yield start
    for each in proxies:
        each.stop()
