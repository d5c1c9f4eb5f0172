"""A page of another site can't run code on a service that listens on this computer, nor read what it says."""

import json

import pytest

pytestmark = pytest.mark.cold

RUN = {"code": "print('RAN')"}
FOREIGN = "https://evil.example"


def forbidden(answer):
    return answer.status in (403, 421) and bool(answer.error) and "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("content_type,body", [
    ("text/plain", json.dumps(RUN).encode()),
    ("application/x-www-form-urlencoded", b'{"code": "print(1)", "x=": 1}'),
    ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="code"\r\n\r\nprint(1)\r\n--x--'),
    ("text/plain;application/json", json.dumps(RUN).encode()),
    (None, json.dumps(RUN).encode()),
])
@pytest.mark.parametrize("path", ["/run", "/run_code", "/execute"])
def test_a_body_that_a_form_can_send_is_refused(server, path, content_type, body):
    """POST /run takes forms, but not from a page whose browser does not say which page it is."""
    form = path == "/run" and content_type is not None and content_type.startswith("multipart")
    answer = server.post(path, body, {"Content-Type": content_type, "User-Agent": "Mozilla/5.0 (X11; rv:52.0)"})
    assert answer.status == (403 if form else 415) and answer.error


@pytest.mark.parametrize("origin", [FOREIGN, "http://localhost.evil.example", "http://evil.example:8000", "null",
                                    "https://127.0.0.1.evil.example", "file://", "http://localhost@evil.example", "",
                                    "http://localhost:1"])
@pytest.mark.parametrize("path", ["/run", "/run_code", "/execute"])
def test_a_foreign_origin_is_refused(server, path, origin):
    assert forbidden(server.post(path, RUN, {"Origin": origin}))


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_a_browser_calls_cross_site_is_refused(server, site):
    assert forbidden(server.post("/run", RUN, {"Sec-Fetch-Site": site}))


@pytest.mark.parametrize("origin", [FOREIGN, "http://evil.example:8000", "https://localhost.evil.example", "null",
                                    "https://127.0.0.1.nip.io", "https://localhost@evil.example", "file://localhost",
                                    "https://localhost, https://evil.example", "evil.example", ""])
@pytest.mark.parametrize("path", ["/run", "/run_code", "/execute"])
def test_a_name_that_was_made_to_point_here_is_refused_though_its_page_is_of_the_same_origin(server, path, origin):
    """A request as it arrives through a proxy that has put one of the service's names into Host."""
    assert forbidden(server.post(path, RUN, {"Origin": origin, "Sec-Fetch-Site": "same-origin"}))


@pytest.mark.parametrize("site", ["Same-Origin", "same-origin,none", "none", "same-site", "cross-site", ""])
def test_no_other_word_of_the_browser_makes_up_for_a_foreign_origin(server, site):
    assert forbidden(server.post("/run", RUN, {"Origin": "http://localhost:1", "Sec-Fetch-Site": site}))


def test_the_browsers_word_may_not_come_twice(server):
    words = "same-origin\r\nSec-Fetch-Site: cross-site"
    assert server.post("/run", RUN, {"Origin": "http://localhost:1", "Sec-Fetch-Site": words}).status == 400


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.nip.io",
                                  "evil.example.", "", "127.0.0.1@evil.example", "[::1].evil.example", "a b",
                                  "localhost:evil"])
@pytest.mark.parametrize("path", ["/run", "/health", "/", "/metrics"])
def test_a_host_that_is_not_ours_is_refused(server, host, path):
    """DNS rebinding: the page's own name leads here, and its requests are same-origin to the browser."""
    answer = server.ask("POST" if path == "/run" else "GET", path, RUN if path == "/run" else None, {"Host": host})
    assert answer.status in (400, 403, 421) and answer.error


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "[::1]", "localhost:{port}",
                                  "127.0.0.1:{port}"])
def test_names_of_this_computer_are_ours(server, host):
    assert server.get("/health", {"Host": host.format(port=server.address[1])}).status == 200


def test_a_preflight_of_a_foreign_page_is_refused(server):
    answer = server.ask("OPTIONS", "/run", None, {
        "Origin": FOREIGN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"})
    assert answer.status >= 400
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_the_services_own_page_may_ask(server):
    port = server.address[1]
    for host in (f"127.0.0.1:{port}", f"localhost:{port}"):
        answer = server.post("/run", RUN, {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"})
        assert answer.json["output"] == "RAN"


def test_a_person_may_open_the_page_from_another_site(server):
    """A link in a mail or on another page: nothing runs by it."""
    answer = server.get("/", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate",
                              "Sec-Fetch-Dest": "document"})
    assert answer.status == 200


def test_a_configured_origin_may_ask_and_read(serve):
    origin = "https://app.example"
    server = serve(origin=[origin, "http://other.example:3000"])
    preflight = server.ask("OPTIONS", "/run", None, {
        "Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"})
    assert preflight.status in (200, 204) and preflight.headers["Access-Control-Allow-Origin"] == origin
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert "content-type" in preflight.headers["Access-Control-Allow-Headers"].lower()
    assert "Origin" in preflight.headers["Vary"]
    for allowed in (origin, "http://other.example:3000"):
        answer = server.post("/run", RUN, {"Origin": allowed, "Sec-Fetch-Site": "cross-site"})
        assert answer.json["output"] == "RAN" and answer.headers["Access-Control-Allow-Origin"] == allowed
    for other in (FOREIGN, origin + ".evil.example", "http://app.example", origin + ":8443", "null"):
        assert forbidden(server.post("/run", RUN, {"Origin": other}))


def test_an_error_can_be_read_by_a_configured_origin_as_well(serve):
    server = serve(origin=["https://app.example"])
    answer = server.post("/run", {"nonsense": 1}, {"Origin": "https://app.example"})
    assert answer.status == 400 and answer.headers["Access-Control-Allow-Origin"] == "https://app.example"


def test_a_configured_host_is_ours(serve):
    server = serve(host=["sandbox.example"])
    for host in ("sandbox.example", "sandbox.example:8443", "Sandbox.Example", "localhost"):
        assert server.get("/health", {"Host": host}).status == 200
    for host in ("evil.example", "a.sandbox.example", "sandbox.example.evil.example"):
        assert server.get("/health", {"Host": host}).status in (400, 403, 421)


def test_any_host_can_be_allowed(serve):
    assert serve(host=["*"]).get("/health", {"Host": "whatever.example"}).status == 200


def test_cross_site_requests_for_reading_get_no_permission_to_read(server):
    for path in ("/health", "/policies", "/metrics", "/version", "/openapi.json"):
        answer = server.get(path, {"Origin": FOREIGN})
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/docs", "/redoc"])
def test_pages_allow_no_script_but_their_own_and_no_frame_around_them(server, path):
    policy = server.get(path).headers["Content-Security-Policy"]
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split(";") if rule.strip()}
    scripts = rules.get("script-src", rules.get("default-src"))
    assert scripts is not None and not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "http:"} & set(scripts)
    assert rules.get("frame-ancestors") == ["'none'"]
