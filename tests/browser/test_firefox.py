"""The page in another engine: all other tests of this part are Chromium's."""

import base64
import json
import shutil

import pytest

CONTROL, DELETE = "\ue009", "\ue017"
STYLED = "<style>td {color: rgb(1, 2, 3); background: url(http://198.51.100.1/a.png)}</style><table><tr><td>1</table>"


@pytest.fixture
def firefox(tmp_path):
    if not shutil.which("firefox-esr"):
        pytest.skip("there is no firefox-esr: apt-get install firefox-esr")
    pytest.importorskip("websocket", reason="there is no websocket: apt-get install python3-websocket")
    from firefox import Firefox
    browser = Firefox(tmp_path)
    yield browser
    browser.close()


def refused(firefox):
    return firefox.script("window.refusedByPolicy")


def test_firefox_runs_a_job_within_the_pages_policy(firefox, server):
    origin = "http://{}:{}".format(*server.address)
    firefox.open(origin + "/")
    firefox.until("document.querySelector('#policy-limits').textContent")
    firefox.click("#editor")
    firefox.keys("a", CONTROL)
    firefox.keys(DELETE + "print(6 * 7)")
    firefox.click("#run")
    assert firefox.until("document.querySelector('#result').dataset.verdict") == "ok"
    assert firefox.script("document.querySelector('.stdout pre').textContent") == "42\n"
    assert (refused(firefox), firefox.errors) == ([], [])
    assert firefox.requests and all(url.startswith((origin, "data:", "about:")) for url in firefox.requests), firefox.requests


def test_firefox_shows_styles_of_displays_and_loads_nothing_for_them(firefox, server):
    origin = "http://{}:{}".format(*server.address)
    job = {"notebook": "on", "code": f"class Styled:\n    def _repr_html_(self): return {STYLED!r}\nStyled()"}
    link = base64.urlsafe_b64encode(json.dumps(job).encode()).decode().rstrip("=")
    firefox.open(f"{origin}/#j={link}")
    firefox.until("document.querySelector('#policy-limits').textContent")
    firefox.click("#run")
    assert firefox.until("document.querySelector('#result').dataset.verdict") == "ok"
    firefox.until("document.querySelector('.display-frame')?.contentDocument?.querySelector('iframe') != null")
    inner, = [inner for tab in firefox.ask("browsingContext.getTree")["contexts"] for outer in tab["children"] for inner in outer["children"]]
    seen = "(document.querySelector('td') && getComputedStyle(document.querySelector('td')).color)"
    assert firefox.until(seen, inner["context"]) == "rgb(1, 2, 3)"
    assert refused(firefox) == []
    assert all(url.startswith((origin, "data:", "about:")) for url in firefox.requests), firefox.requests
