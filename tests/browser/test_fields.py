"""The fields around the editor, the job as a command or a program, and the token."""

import json
import os
import subprocess
import sys

import pytest

from sandbox_run import CHECKOUT

SHOW = "import os, sys\nprint(sys.argv[1:], os.environ.get('A'), os.environ.get('B'))\nprint(ascii(sys.stdin.read()), \"it's\")"


@pytest.mark.parametrize("typed, given", [
    ("one two", ["one", "two"]),
    ("  'two words' \"and 'more'\" ", ["two words", "and 'more'"]),
    ("pre'fix ed' '' \"\"", ["prefix ed", "", ""]),
    ("--x=\"a b\" \\n $HOME 'open", ["--x=a b", "\\n", "$HOME", "open"]),
])
def test_arguments_are_split_by_quotes(page, typed, given):
    page.fill("#args", typed).paste_and_run("import sys; print(sys.argv[1:])")
    assert page.content(".stdout pre") == f"{given}\n"


def test_variables_are_given(page):
    page.fill("#env", "A=1\n\nexport B=x=y z").paste_and_run("import os; print(os.environ['A'], os.environ['B'])")
    assert page.content(".stdout pre") == "1 x=y z\n"


def test_a_wrong_variable_is_refused_by_name(page):
    page.fill("#env", "=1").paste_and_run("pass")
    assert page.state == "error" and "env" in page.text(".verdict-sentence")


def test_code_that_lacks_input_leads_to_its_field(page):
    page.paste_and_run("print(input('Name? '))")
    assert page.verdict == "exception"
    page.click("#to-stdin")
    assert page.focused == "stdin"
    page.fill("#stdin", "Ada").run()
    assert page.content(".stdout pre") == "Name? Ada\n" and not page.all("#to-stdin")
    page.paste_and_run("raise ValueError('EOFError')")
    assert not page.all("#to-stdin")


def snippet(page, kind):
    page.click("#share").until(lambda: page.shown("#share-link"))
    page.find("#share-as").send_keys(kind)
    page.until(lambda: page.shown("#share-code") and not page.shown("#share-link"))
    return page.find("#share-code").get_property("value")


@pytest.fixture
def job(page):
    page.fill("#args", "'a b' c").fill("#env", "A=1\nB=$X").fill("#stdin", "ü\n").paste_and_run(SHOW)
    return page


def test_as_curl_does_the_same(job):
    ran = subprocess.run(["bash", "-c", snippet(job, "As curl")], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout)["stdout"] == job.content(".stdout pre")


def test_as_python_does_the_same(job):
    ran = subprocess.run([sys.executable, "-c", snippet(job, "As Python")], capture_output=True, text=True, check=True,
                         env={**os.environ, "PYTHONPATH": str(CHECKOUT / "src/clients/python"), "PYTHONDONTWRITEBYTECODE": "1"})
    assert ran.stdout == f"ok\n{job.content('.stdout pre')}\n"


def test_a_token_can_be_changed_and_is_in_no_snippet(visitor, serve, token):
    first, second = token("first"), token("second")
    server = serve(tokens=token.file)
    visitor.open(server).until(lambda: visitor.shown("#token-box"))
    assert not visitor.shown("#token-change")
    visitor.fill("#token", first).keys("\ue007").ready()
    visitor.click("#token-change")
    assert visitor.focused == "token" and visitor.find("#token").get_property("value") == ""
    visitor.fill("#token", second).keys("\ue007").until(lambda: not visitor.shown("#token-box"))
    visitor.paste_and_run("print('by the second')")
    assert server.log.jobs(1)[0]["token"] == "second"
    for kind in ("As curl", "As Python"):
        text = snippet(visitor, kind)
        assert "TOKEN" in text and first not in text and second not in text
        visitor.click("#share")


@pytest.mark.parametrize("size", [(1280, 720), (1366, 768)])
def test_a_first_run_fits_a_laptop(page, size):
    page.screen(size).reload().ready()
    page.run()
    low = page.script("""return ["#run", "#editor", "#policy", ".verdict", ".stdout pre", "label[for=stdin]"].filter((selector) =>
        document.querySelector(selector).getBoundingClientRect().bottom > innerHeight)""")
    assert low == [] and page.script("return scrollY") == 0
    wrapped = page.script("""return ["#policy-limits", "#promise", ".hero p", "#run", ".foot", ...document.querySelectorAll(".meter-text")]
        .map((each) => typeof each === "string" ? document.querySelector(each) : each).filter((node) => {
            const style = getComputedStyle(node), inner = node.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
            return node.id !== "run" && inner > 1.9 * parseFloat(style.fontSize) * 1.5;
        }).map((node) => node.outerHTML.slice(0, 80))""")
    assert wrapped == []
    scroller = page.find("#editor").shadow_root.find_element("css selector", ".cm-scroller")
    assert page.script("return arguments[0].scrollWidth - arguments[0].clientWidth", scroller) == 0
