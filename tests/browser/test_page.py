"""A visitor types code, runs it and reads what became of it."""

import pytest


def test_what_is_typed_runs_at_a_click(page):
    page.type("for i in range(3):\nprint(i * i)").run()
    assert page.code == "for i in range(3):\n    print(i * i)"  # the editor indents
    assert page.content(".stdout pre") == "0\n1\n4\n"
    assert page.verdict == "ok"
    assert page.text(".verdict-title") == "Done"


def test_control_enter_runs_from_the_editor(page):
    page.type("print('from the keyboard')").keys(("Control", "Enter")).finished()
    assert page.content(".stdout pre") == "from the keyboard\n"
    assert page.code == "print('from the keyboard')"  # no line was added


def test_control_enter_runs_from_another_field(page):
    page.type("print(input())")
    page.fill("#stdin", "hello").keys(("Control", "Enter")).finished()
    assert page.content(".stdout pre") == "hello\n"


def test_what_is_selected_is_typed_over(page):
    page.paste("if True: pass  # a comment").keys(("Control", "a"), "x", ("Control", "a"), "(")
    assert page.code == "(x)"  # a bracket is put around what is selected


def test_code_is_coloured(page):
    page.paste("def f():\n    return 'text'  # comment")
    colours = page.script("""const line = document.querySelector("#editor").shadowRoot.querySelectorAll(".cm-line span");
        return [...line].map((span) => getComputedStyle(span).color);""")
    assert len(set(colours)) >= 4


def test_undo_does_not_bring_back_another_example(page):
    page.pick("Hello").pick("Standard input")
    page.editor().click()
    page.keys(("Control", "z"))
    assert page.code.startswith("import sys")


def test_output_and_errors_stand_apart(page):
    page.paste_and_run("import sys\nprint('good')\nprint('bad', file=sys.stderr)")
    assert page.content(".stdout pre") == "good\n"
    assert page.content(".stderr pre") == "bad\n"


def test_a_functions_value_is_shown(page):
    page.paste("def main():\n    print('apart')\n    return {'answer': [1, None]}").fill("#call", "main").run()
    assert page.content(".value pre").split() == ["{", '"answer":', "[", "1,", "null", "]", "}"]
    assert page.content(".stdout pre") == "apart\n"


def test_the_policy_says_its_limits_and_holds(page):
    assert "10 s · 128 MiB · half a CPU · 64 processes" in page.text("#policy-limits")
    page.script("arguments[0].focus()", page.find("#policy"))
    page.find("#policy").send_keys("run_code")
    assert "30 s · 500 MiB · 2 CPUs" in page.text("#policy-limits")
    page.paste_and_run("x = b'x' * 200_000_000; print(len(x))")
    assert page.content(".stdout pre") == "200000000\n"
    assert "of 500 MiB" in page.text(".meters")


def test_a_policy_that_is_not_offered_is_shown_with_the_reason_and_cannot_be_chosen(page):
    option = page.find("#policy option[value=data]")
    if option.is_enabled():
        pytest.skip("this root file system has what the policy data preloads")
    assert "not available" in option.text and "numpy" in option.get_attribute("title")
    option.click()
    assert page.find("#policy").get_attribute("value") == "run"
    assert all(each.is_enabled() for each in page.all("#policy option") if each.get_attribute("value") != "data")


def test_bars_tell_what_was_used_of_what(page):
    page.paste_and_run("x = b'x' * 64_000_000")
    bars = {bar.get_attribute("aria-label"): bar for bar in page.all("[role=meter]")}
    assert set(bars) == {"Wall time", "CPU time", "Memory", "Processes"}
    memory = bars["Memory"]
    assert int(memory.get_attribute("aria-valuemax")) == 128 * 2**20
    assert 60 * 2**20 < int(memory.get_attribute("aria-valuenow")) < 128 * 2**20
    assert memory.get_attribute("aria-valuetext").endswith(" of 128 MiB")
    widths = {name: page.script("return arguments[0].firstChild.getBoundingClientRect().width / "
                                "arguments[0].getBoundingClientRect().width", bar) for name, bar in bars.items()}
    assert 0.45 < widths["Memory"] < 1
    assert widths["Processes"] < 0.1


@pytest.mark.parametrize("code, verdict, title, sentence", [
    ("raise ValueError('no')", "exception", "Exception", "ValueError: no"),
    ("raise SystemExit(7)", "exit", "Exit", "7"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "signal", "Signal", "SIGTERM"),
])
def test_every_end_has_its_words(page, code, verdict, title, sentence):
    page.paste_and_run(code)
    assert page.verdict == verdict
    assert page.text(".verdict-title") == title
    assert sentence in page.text(".verdict-sentence")


def test_what_is_left_out_of_the_output_is_said_where(page):
    page.paste_and_run("print('first')\nprint('x' * 3_000_000)\nprint('last')")
    assert "not shown" in page.text(".truncated")
    before, gap, after = page.script("""const gap = document.querySelector(".gap");
        return [gap.previousSibling.data, gap.textContent, gap.nextSibling.data];""")
    assert before.startswith("first\nx") and before.endswith("x\n") and after.endswith("x\nlast\n")
    shown = len(before) - len("\n") + len(after)
    assert shown <= 2**20
    assert gap == f"… {len('first') + 3_000_000 + len('last') + 3 - shown} bytes left out …"


def test_what_a_script_prints_is_text_and_nothing_else(page):
    page.paste_and_run("print('<img src=x onerror=\"document.title=1\"><script>document.title=2</script><b>bold</b>')\n"
                       "raise Exception('<b>bold</b>')")
    assert "<b>bold</b>" in page.text(".stdout pre") and "<b>bold</b>" in page.text(".stderr pre")
    assert page.all("#result b, #result img, #result script") == []
    assert page.driver.title.startswith("sandbox-run")


def test_code_that_is_too_long_is_refused_in_words(page):
    page.paste("#" * 5001)
    assert page.text("#length") == "5,001 of 5,000 characters"
    page.run()
    assert (page.state, page.find("#result").get_attribute("data-error")) == ("error", "refused")
    assert "code" in page.text(".verdict-sentence") and "5000" in page.text(".verdict-sentence")


def test_a_traceback_leads_to_the_line(page):
    page.pick("A traceback").run()
    assert page.verdict == "exception"
    links = page.all(".jump")
    assert [link.text for link in links][0] == 'File "main.py", line 10, in <module>'
    assert page.lines(".cm-errorLine") == ["    return sum(values) / len(values)"]
    links[1].click()
    assert page.line == 6 and page.focused == "editor"
    assert page.lines(".cm-errorLine")[0].strip().startswith("print(f")
    page.keys("#")
    assert page.lines(".cm-errorLine") == []  # the mark goes with the first change
    assert page.code.splitlines()[5].startswith("#    print")


def test_a_syntax_error_leads_to_the_line(page):
    page.paste_and_run("x = 1\nprint('open'\n")
    page.click(".jump")
    assert page.line == 2


def test_stop_ends_the_job(visitor, serve):
    server = serve(jobs=1)
    visitor.open(server).ready().pick("Infinite loop").click("#run")
    visitor.until(lambda: server.metric("sandbox_jobs_running") == 1)
    assert visitor.text(".verdict-title") == "Running"
    assert visitor.find("#run").get_attribute("aria-disabled") == "true"
    visitor.click("#stop").finished()
    assert visitor.state == "stopped"
    assert visitor.focused == "run" and not visitor.shown("#stop")
    assert "had left" in server.log.jobs(1)[0]["message"]
    assert server.metric("sandbox_jobs_running") == 0
    visitor.paste_and_run("print('again')")
    assert visitor.content(".stdout pre") == "again\n"


def test_a_second_click_does_not_start_a_second_job(visitor, serve):
    server = serve(jobs=2)
    visitor.open(server).ready().pick("Infinite loop")
    visitor.click("#run").click("#run").click("#run")
    visitor.until(lambda: server.metric("sandbox_jobs_running") == 1)
    visitor.click("#run").click("#stop").finished()
    visitor.paste_and_run("print('last')")
    assert len(server.log.jobs(2)) == 2
    assert len(server.log.all(lambda record: "verdict" in record)) == 2
