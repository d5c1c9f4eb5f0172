"""The target of a request: a path, or a whole URL (RFC 9112, 3.2), whose host is then the one that counts."""

import json

import pytest

BODY = json.dumps({"code": "print('RAN')"}).encode()


def ask(server, line, *headers, body=b"", **where):
    lines = [f"{line} HTTP/1.1", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    with server.connect(**where) as connection:
        connection.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return connection.answer()


HERE = ["http://localhost", "http://localhost:8000", "HTTP://LocalHost", "http://127.0.0.1:1", "http://[::1]:8000",
        "http://app.localhost"]


@pytest.mark.parametrize("place", HERE)
def test_a_whole_url_is_asked_for_as_its_path_is(server, place):
    assert "version" in ask(server, f"GET {place}/version", "Host: localhost").json
    assert ask(server, f"GET {place}/version?a=b", "Host: localhost").status == 200
    assert ask(server, f"POST {place}/run", "Host: localhost", body=BODY).json["output"] == "RAN"
    assert ask(server, f"DELETE {place}/run", "Host: localhost").headers["Allow"] == "POST, OPTIONS"
    nothing = ask(server, f"GET {place}/nothing", "Host: localhost")
    assert nothing.status == 404 and "/nothing:" in nothing.error and "//" not in nothing.error


@pytest.mark.parametrize("target", ["http://localhost", "http://localhost?a"])
def test_an_empty_path_is_the_first_page(server, target):
    assert ask(server, f"GET {target}", "Host: localhost").body == server.get("/").body


def test_options_of_a_whole_server_has_two_forms(server):
    for target in ("*", "http://localhost"):
        answer = ask(server, f"OPTIONS {target}", "Host: localhost")
        assert answer.status == 204 and "POST" in answer.headers["Allow"]


def test_the_host_of_a_url_goes_before_that_of_the_header(server):
    assert ask(server, "GET http://localhost/version", "Host: evil.example").status == 200
    answer = ask(server, "GET http://evil.example/version", "Host: localhost")
    assert answer.status == 421 and answer.field == "Host" and "evil.example" in answer.error


def test_a_page_is_of_the_same_origin_as_the_url_that_is_asked_for(server):
    for origin, status in (("http://localhost:8000", 200), ("http://localhost:1", 403), ("http://evil.example", 403)):
        answer = ask(server, "POST http://localhost:8000/run", "Host: evil.example", f"Origin: {origin}", body=BODY)
        assert answer.status == status


@pytest.mark.parametrize("host", [[], ["Host: a b"], ["Host: u@localhost"], ["Host:"], ["Host: localhost", "Host: localhost"]])
def test_a_url_does_not_stand_in_for_the_header(server, host):
    """RFC 9112, 3.2: without it, or with one that cannot be, the request is malformed."""
    answer = ask(server, "GET http://localhost/version", *host)
    assert answer.status == 400 and answer.field == "Host"


@pytest.mark.parametrize("target", [
    "http://user@localhost/version", "http://user:word@localhost/version", "http://localhost@evil.example/version",
    "http:///version", "http://", "http:/version", "http:version", "http://localhost:x/version", "http://:80/version",
    "http://[::1/version", "http://a,b/version", "http://local\\host/version", "http://" + "x" * 300 + "/version",
    "ftp://localhost/version", "file:///version", "localhost:80", "localhost", "version", "*", "?a", "://localhost/",
    "\\version", ".", "..", "%2fversion",
])
def test_a_target_that_is_neither_is_400(server, target):
    answer = ask(server, f"GET {target}", "Host: localhost")
    assert answer.status == 400 and answer.error


def test_a_tunnel_is_not_made(server):
    answer = ask(server, "CONNECT localhost:80", "Host: localhost")
    assert answer.status == 400 and answer.error


@pytest.mark.parametrize("path", ["//version", "/version/", "/./version", "/x/../version", "/%76ersion", "/VERSION",
                                  "//evil.example/version", "/http://localhost/version"])
def test_a_path_is_taken_as_it_stands(server, path):
    assert ask(server, f"GET {path}", "Host: localhost").status == 404


def test_https_is_not_asked_for_in_the_clear(serve, server):
    answer = ask(server, "GET https://localhost/version", "Host: localhost")
    assert answer.status == 421 and "https" in answer.error
    behind = serve(trusted_proxy="127.0.0.0/8")
    assert ask(behind, "GET https://localhost/version", "Host: localhost").status == 200


def test_a_unix_socket_takes_whole_urls_too(serve, tmp_path):
    server = serve(listen=f"unix:{tmp_path}/socket")
    assert ask(server, "GET http://anything/version", "Host: anything").status == 200
    assert ask(server, "GET http://user@anything/version", "Host: anything").status == 400
