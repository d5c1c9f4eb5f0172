"""A service whose jobs Redis keeps, from its start on: a Redis that is slow, or away, or reached by TLS."""

import subprocess

import pytest

from proxies import free_port
from redis_server import Slow
from waiting import until

pytestmark = pytest.mark.cold


def state(server, number):
    return server.get(f"/jobs/{number}?wait=60").json["state"]


def submit(server):
    """The id of a job that was accepted at the first try."""
    answer = server.post("/jobs", {"code": "print(6 * 7)"})
    assert answer.status == 202, answer
    return answer.json["id"]


# ── The start ──


@pytest.mark.parametrize("workers", [1, 2])
def test_a_service_that_listens_has_reached_redis(serve, redis, workers):
    slow = Slow(redis().socket, 0.4)
    server = serve(store=f"redis://127.0.0.1:{slow.port}", workers=workers)
    assert state(server, submit(server)) == "done"
    server.stop()
    slow.close()


def test_a_service_starts_without_redis_and_finds_it_later(serve, redis):
    port = free_port()
    server = serve(store=f"redis://127.0.0.1:{port}")
    refused = server.post("/jobs", {"code": "print(1)"})
    assert refused.status == 503 and "can't connect: Connection refused" in refused.json["error"], refused
    assert server.post("/run", {"code": "print(1)"}).json["output"] == "1"
    assert server.get("/ready").json | {"ready": True, "store": "failing"} == server.get("/ready").json
    assert server.metric("sandbox_store_failing") == 1 and server.metric("sandbox_store_failures_total") >= 1
    redis("--port", port)
    until(lambda: server.post("/jobs", {"code": "print(1)"}).status == 202)
    until(lambda: server.get("/ready").json["store"] == "ok")
    assert server.metric("sandbox_store_failing") == 0


# ── TLS ──


@pytest.fixture
def certificate(tmp_path):
    """certificate(name, "DNS:localhost"): the paths of a key and of a certificate that signs itself."""
    def make(name, owner):
        key, made = tmp_path / f"{name}.key", tmp_path / f"{name}.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", key, "-out", made, "-days", "2", "-subj", "/CN=redis",
                        "-addext", f"subjectAltName={owner}"], check=True, capture_output=True)
        return key, made

    return make


@pytest.fixture
def tls(redis):
    """tls((key, certificate), …) is the address of a Redis that speaks TLS."""
    def start(files, *options):
        port = free_port()
        redis("--tls-port", port, "--tls-key-file", files[0], "--tls-cert-file", files[1],
              "--tls-ca-cert-file", files[1], *(options or ("--tls-auth-clients", "no")))
        return f"rediss://localhost:{port}"

    return start


@pytest.mark.parametrize("versions", ["TLSv1.2", "TLSv1.3"])
def test_jobs_are_kept_by_a_redis_that_is_reached_by_tls(serve, tls, certificate, versions):
    good = certificate("good", "DNS:localhost")
    address = tls(good, "--tls-auth-clients", "no", "--tls-protocols", versions)
    server = serve(store=f"{address}?ca={good[1]}")
    numbers = [submit(server) for _ in range(20)]
    assert {state(server, number) for number in numbers} == {"done"}


def test_a_large_job_and_its_answer_cross_tls_whole(serve, tls, certificate):
    good = certificate("good", "DNS:localhost")
    server = serve(store=f"{tls(good)}?ca={good[1]}")
    text = "".join(chr(0x4e00 + i % 20000) for i in range(1 << 20))
    answer = server.post("/jobs", {"code": "print(open('f').read()[:300_000])", "files": {"f": text}, "policy": "default"})
    assert answer.status == 202, answer
    done = server.get(f"/jobs/{answer.json['id']}?wait=60").json
    assert done["answer"]["stdout"] == text[:300_000] + "\n"


def test_a_certificate_of_nobody_that_is_trusted_is_refused(refused, tls, certificate):
    address, other = tls(certificate("good", "DNS:localhost")), certificate("other", "DNS:localhost")
    for store in (address, f"{address}?ca={other[1]}"):
        said = refused(store=store)
        assert "its certificate is signed by nobody that is trusted; name a file with its CA: ?ca=FILE" in said


def test_a_certificate_of_another_host_is_refused(refused, tls, certificate):
    wrong = certificate("wrong", "DNS:elsewhere.example,IP:127.0.0.1")
    said = refused(store=f"{tls(wrong)}?ca={wrong[1]}")
    assert "its certificate is that of another host; name the host as its certificate does" in said


def test_a_certificate_that_is_no_longer_valid_is_refused(refused, tls, certificate, tmp_path):
    key, old = certificate("old", "DNS:localhost")
    (tmp_path / "index").touch()
    (tmp_path / "ca.cnf").write_text(f"[ca]\ndefault_ca=it\n[it]\ndatabase={tmp_path}/index\nnew_certs_dir={tmp_path}\nrand_serial=yes\n"
                                     "default_md=sha256\npolicy=any\ncopy_extensions=copyall\n[any]\ncommonName=supplied\n")
    subprocess.run(["openssl", "req", "-new", "-key", key, "-subj", "/CN=redis", "-addext", "subjectAltName=DNS:localhost",
                    "-addext", "basicConstraints=CA:TRUE", "-out", tmp_path / "request"], check=True, capture_output=True)
    subprocess.run(["openssl", "ca", "-batch", "-selfsign", "-notext", "-config", tmp_path / "ca.cnf", "-keyfile", key,
                    "-in", tmp_path / "request", "-out", old, "-startdate", "20200101000000Z", "-enddate", "20200102000000Z"],
                   check=True, capture_output=True)
    assert "its certificate is no longer valid; give Redis a new one" in refused(store=f"{tls((key, old))}?ca={old}")


def test_a_redis_that_wants_a_certificate_of_the_node_is_refused(refused, tls, certificate):
    good = certificate("good", "DNS:localhost")
    said = refused(store=f"{tls(good, '--tls-auth-clients', 'yes')}?ca={good[1]}")
    assert "it wants a certificate of this node, which has none; set tls-auth-clients to no" in said


def test_a_file_of_certificates_that_has_none_is_refused(refused, tls, certificate, tmp_path):
    (tmp_path / "empty.pem").write_text("")
    said = refused(store=f"{tls(certificate('good', 'DNS:localhost'))}?ca={tmp_path}/empty.pem")
    assert "does its ca name a PEM file with certificates?" in said
