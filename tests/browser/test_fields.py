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


def policy(server, name):
    return {each["name"]: each for each in server.get("/policies").json["policies"]}[name]


def choose(page, name):
    page.find(f"#policy option[value={name}]").click()
    return page


UNITS = {"wall_time_ms": 1000, "cpu_time_ms": 1000, "memory_bytes": 2 ** 20, "cpus": 1, "pids": 1, "output_bytes": 1024,
         "open_files": 1, "tmp_bytes": 2 ** 20}


@pytest.mark.parametrize("name", ["run", "run_code"])
def test_limits_show_the_policys_own_and_the_highest(page, server, name):
    choose(page, name).click("#limits summary")
    offered = policy(server, name)
    for limit, unit in UNITS.items():
        field = page.find(f"#limit-{limit}")
        assert float(field.get_attribute("placeholder")) == pytest.approx(offered["limits"][limit] / unit, abs=0.001), limit
        assert float(field.get_attribute("max")) == pytest.approx(offered["caps"][limit] / unit, abs=0.001), limit


@pytest.fixture
def limited(page):
    """A job that asks for less time than its policy gives."""
    page.click("#limits summary")
    page.fill("#limit-wall_time_ms", "0.3").fill("#limit-memory_bytes", "64.5")
    return page.paste_and_run("while True: pass")


def test_a_limit_that_is_written_holds(limited, server):
    assert limited.verdict == "timeout"
    assert [row.text.split(" of ")[-1] for row in limited.all(".meter-text")][:3:2] == ["300 ms", "65 MiB"]
    for selector, text in (("wall_time_ms", ""), ("memory_bytes", "")):
        limited.find(f"#limit-{selector}").clear()
    limited.paste_and_run("pass")
    assert limited.verdict == "ok" and limited.text(".meter-text").endswith("of 10 s")


def test_limits_are_in_the_snippets(limited):
    ran = subprocess.run(["bash", "-c", snippet(limited, "As curl")], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout)["verdict"] == "timeout"
    limited.click("#share")
    text = snippet(limited, "As Python")
    assert "300" in text and str(int(64.5 * 2 ** 20)) in text
    ran = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True,
                         env={**os.environ, "PYTHONPATH": str(CHECKOUT / "src/clients/python"), "PYTHONDONTWRITEBYTECODE": "1"})
    assert ran.stdout.startswith("timeout\n")


def typed_limits(page):
    return {limit: value for limit in UNITS if (value := page.find(f"#limit-{limit}").get_property("value"))}


def test_limits_survive_a_reload_and_are_in_the_link_and_the_history(limited):
    asked = {"wall_time_ms": "0.3", "memory_bytes": "64.5"}
    assert typed_limits(limited.reload().ready()) == asked and limited.shown("#limit-pids")
    limited.click("#share").until(lambda: limited.shown("#share-link"))
    link = limited.find("#share-link").get_property("value")
    limited.pick("Hello")
    assert typed_limits(limited) == {}
    limited.pick("while True: pass")
    assert typed_limits(limited) == asked
    limited.pick("Hello").script("localStorage.clear(); sessionStorage.clear()")
    limited.driver.get("about:blank")
    limited.driver.get(link)
    assert typed_limits(limited.ready()) == asked


def test_a_limit_above_the_cap_is_said_before_it_is_refused(page):
    page.click("#limits summary").fill("#limit-wall_time_ms", "11")
    assert page.text("#limits-error") == "Wall time: at most 10 s under this policy."
    assert page.find("#limit-wall_time_ms").get_attribute("aria-invalid") == "true" and page.violations() == []
    page.paste_and_run("pass")
    assert page.state == "error" and "wall_time_ms" in page.text(".verdict-sentence")
    choose(page, "run_code")
    assert not page.text("#limits-error") and page.run().verdict == "ok"


def test_files_come_back_only_where_the_policy_lets_code_write_some(page, server):
    for name in ("run", "run_code", "run"):
        choose(page, name)
        writable = policy(server, name)["writable"]
        assert page.find("#collect").is_enabled() is writable
        assert ("read-only" in page.text("#policy-limits")) is not writable
        assert ("writes no files" in page.find("#collect-label").get_attribute("title")) is not writable
        assert ('"collect":true' in snippet(page, "As curl")) is writable
        page.click("#share")
        assert page.find("#collect").is_selected()
    page.paste_and_run("pass")
    assert not page.all(".left-out")


def modules(page):
    page.click("#modules summary").until(lambda: page.shown("#modules-all > :not(.hint)"))
    return dict((item.text.split(" ") + [""])[:2] for item in page.all("#modules-all li"))


def test_the_modules_that_are_there_are_listed(visitor, serve, policies, data_rootfs):
    server = serve(rootfs=data_rootfs, policies=policies(run={"preload": ["csv", "fractions"]}))
    visitor.open(server).ready()
    assert not visitor.shown("#modules-ready")
    listed = modules(visitor)
    assert visitor.text("#modules-ready").endswith(": csv, fractions.")
    visitor.paste_and_run("import sys; print(sys.version.split()[0])")
    assert visitor.content(".stdout pre").strip() in visitor.text("#modules-all")
    assert len(visitor.all("#history-list .item")) == 1  # the question is none of the visitor's runs
    visitor.find("#policy option[value=data]").click()
    assert "numpy, pandas" in visitor.text("#modules-ready")
    visitor.paste_and_run("import numpy, pandas; print(numpy.__version__, pandas.__version__)")
    assert visitor.content(".stdout pre").split() == [listed["numpy"], listed["pandas"]]
    assert not {"json", "test", "main", "sitecustomize"} & set(listed)


def test_where_nothing_is_installed_that_is_said(page):
    assert modules(page) == {} and "nothing else is installed" in page.text("#modules-all")


def test_modules_that_cannot_be_asked_for_are_an_error_that_is_shown(visitor, serve, policies):
    visitor.open(serve(policies=policies(run={"limits": {"code_chars": 20}, "caps": {"code_chars": 20}}))).ready()
    modules(visitor)
    assert "code" in visitor.text("#modules-all .field-error")


def test_what_has_the_focus_is_seen_in_a_panel_taller_than_the_window(page):
    page.screen((1280, 720)).reload().ready()
    page.click("#limits summary").click("#modules summary")
    for last in ("#limit-tmp_bytes", "#run", "#modules summary"):
        page.script("document.querySelector(arguments[0]).focus()", last)
        page.until(lambda: page.script("""const {top, bottom} = document.querySelector(arguments[0]).getBoundingClientRect();
            return top >= 0 && bottom <= innerHeight;""", last))


def test_a_panel_that_fits_stays_in_view(page):
    page.screen((1440, 1000)).reload().ready()
    top = "return document.querySelector('#result').getBoundingClientRect().top"
    before = page.script(top)
    page.script("scrollTo(0, 300)")
    page.until(lambda: page.script("return scrollY") > before)
    assert page.script(top) == 16


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
