"""--notebook: the script is a notebook cell. Its displays come back apart from all output, as MIME bundles; a hostile
script falsifies only its own."""

import base64
import json
import textwrap

import pytest
from sandbox_run import refused


def cell(run, code, *options, **keywords):
    return run(*options, "--notebook", json=True, code=code, **keywords)


def displays(run, code, *options):
    """The displays of a cell that ran to its end."""
    ran = cell(run, code, *options)
    assert (ran.status, ran.verdict["verdict"], ran.verdict["stderr"]) == (0, "ok", ""), ran.verdict
    assert ran.verdict["displays_left_out"] == 0
    return ran.verdict["display"]


def texts(run, code, *options):
    return [display["text/plain"] for display in displays(run, code, *options)]


# ── The last value ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("code, shown", [
    ("x = 5\nx", "5"), ("'a'", "'a'"), ("[1,\n 2]", "[1, 2]"), ("(1)", "1"), ("1, 2", "(1, 2)"), ("1; 2", "2"),
    ("x = 1  # ;\nx  # ;\n# ;", "1"), ("'a;b'", "'a;b'"), ("'''a;\nb;'''", "'a;\\nb;'"), ("int", "<class 'int'>"),
    ("def f(): return 1\nf()", "1"), ("(y := 4)", "4"), ("lambda: 1", None), ("'é€😀'", "'é€😀'"),
    ("from __future__ import annotations\nx: nothing = 3\nx", "3"), ("f'{1}' # é;", "'1'"), ("0", "0"), ("''", "''"),
    ("[i\n for i in range(2)\n]\n\n\n", "[0, 1]"), ("\ufeff(1)", "1")])
def test_the_last_expression_is_displayed(run, code, shown):
    found = texts(run, code)
    assert len(found) == 1 and (found == [shown] or shown is None), found


@pytest.mark.parametrize("code", [
    "", "# 1", "x = 1", "None", "1;", "1 ; # no", "(1\n);", "1;\n", "'''a\n''';", "(1) \\\n;",
    "if True: 1", "def f(): 1", "for i in 1, 2: i", "print()", "import os", "x = 1\nx;", "[1, 2].sort()", "'é' ;"])
def test_statements_none_and_what_a_semicolon_follows_are_not_displayed(run, code):
    assert displays(run, code) == []


def test_a_cell_prints_as_a_script_does_and_prints_no_value(run):
    ran = cell(run, "print('printed')\n1")
    assert (ran.verdict["stdout"], ran.verdict["display"]) == ("printed\n", [{"text/plain": "1"}])


def test_a_script_that_is_not_a_cell_displays_nothing(run):
    ran = run(json=True, code="x = 1\nx")
    assert (ran.verdict["display"], ran.verdict["displays_left_out"]) == ([], 0)
    assert "NameError" in run(code="display(1)").stderr


def test_the_cell_is_main_and_sees_its_arguments(run):
    path = run.script("import sys\n__name__, __file__, sys.argv")
    ran = run("--notebook", "--json", path, args=["a"])
    assert ran.verdict["display"] == [{"text/plain": f"('__main__', '/work/script.py', ['{path}', 'a'])"}]


def test_code_that_only_the_main_program_runs_is_run(run):
    assert texts(run, "x = 1\nif __name__ == '__main__': x = 2\nx") == ["2"]


def test_a_function_of_a_cell_may_be_called(run):
    ran = cell(run, "def main(): return {'a': 1}\n5", "--call", "main")
    assert (ran.verdict["display"], ran.verdict["result"]) == ([{"text/plain": "5"}], {"a": 1})


# ── Await ────────────────────────────────────────────────────────────────────────────────────────


def test_await_works_at_the_top_level(run):
    assert texts(run, """
        import asyncio
        async def one(): await asyncio.sleep(0); return 1
        a = await one()
        async with asyncio.Lock():
            b = [x async for x in (lambda: (await one() for _ in range(2)))()]
        a + sum(b) + await one()
        """) == ["4"]


def test_tasks_live_from_the_first_await_to_the_end_of_the_cell(run):
    assert texts(run, """
        import asyncio
        async def slow(): await asyncio.sleep(0.01); return "done"
        task = asyncio.create_task(slow())
        await asyncio.sleep(0)
        await task
        """) == ["'done'"]


def test_a_cell_without_await_may_run_a_loop_of_its_own(run):
    assert texts(run, "import asyncio\nasync def f(): return 7\nasyncio.run(f())") == ["7"]


# ── Bundles ──────────────────────────────────────────────────────────────────────────────────────


def test_values_are_displayed_in_each_form_that_they_offer(run):
    assert displays(run, r"""
        class All:
            def __repr__(self): return "all"
            def _repr_html_(self): return "<b>é</b>"
            def _repr_markdown_(self): return "**m**"
            def _repr_svg_(self): return "<svg/>"
            def _repr_png_(self): return b"\x89PNG\x00"
            def _repr_latex_(self): return "$x$"
            def _repr_json_(self): return {"a": [1, None]}
        All()
        """) == [{"text/plain": "all", "text/html": "<b>é</b>", "text/markdown": "**m**", "image/svg+xml": "<svg/>",
                  "image/png": base64.b64encode(b"\x89PNG\x00").decode(), "text/latex": "$x$",
                  "application/json": {"a": [1, None]}}]


def test_a_value_may_give_the_whole_bundle_with_metadata_or_without(run):
    assert displays(run, """
        class Chart:
            def _repr_mimebundle_(self, include=None, exclude=None):
                return {"application/vnd.vegalite.v5+json": {"mark": "bar"}, "text/plain": "chart", "a/b": None}, {"m": 1}
            def _repr_html_(self): return ("<i>", {"isolated": True})
        display(Chart())
        """) == [{"application/vnd.vegalite.v5+json": {"mark": "bar"}, "text/plain": "chart", "text/html": "<i>"}]


def test_display_takes_several_values_and_whole_bundles(run):
    assert displays(run, """
        display(1, "a", display_id="x")
        display({"text/html": "<p>", "application/json": (1,)}, raw=True)
        display()
        display({"text/plain": "own"}, raw=True)
        """) == [{"text/plain": "1"}, {"text/plain": "'a'"},
                 {"text/html": "<p>", "application/json": [1], "text/plain": "<text/html, application/json>"},
                 {"text/plain": "own"}]


def test_classes_and_objects_that_answer_to_any_name_show_their_repr(run):
    assert texts(run, """
        class Html:
            def _repr_html_(self): return "x"
            def __repr__(self): return "h"
        display(Html)
        class Any:
            def __getattr__(self, name): return lambda **k: "any"
            def __repr__(self): return "any"
        Any()
        """) == ["<class '__main__.Html'>", "any"]


def test_a_form_that_fails_shows_its_error_and_the_others_come(run):
    ran = cell(run, """
        class Odd:
            def __repr__(self): return "odd"
            def _repr_html_(self): 1 / 0
            def _repr_json_(self): return {1, 2}
            def _repr_latex_(self): raise NotImplementedError
            def _repr_markdown_(self): return "m"
        Odd()
        """)
    assert ran.verdict["verdict"] == "ok"
    assert ran.verdict["display"] == [{"text/plain": "odd", "text/markdown": "m"}]
    assert "ZeroDivisionError" in ran.verdict["stderr"] and "application/json is not JSON" in ran.verdict["stderr"]


def test_half_of_a_surrogate_pair_is_replaced(run):
    assert displays(run, "display({'text/plain': 'a\\ud800', 'text/html': '\\ud83d\\ude00'}, raw=True)") == [
        {"text/plain": "a\ufffd", "text/html": "😀"}]


def test_displays_are_printed_in_order_with_what_the_cell_prints(run):
    ran = run("--notebook", "--displays", "200",
              code="print('a', end='')\ndisplay(1)\nfor i in range(100):\n    print('b', i)\n    display(i)\nprint('c')")
    lines = [line for i in range(100) for line in (f"b {i}", str(i))]
    assert (ran.status, ran.stdout.splitlines()) == (0, ["a", "1", *lines, "c"])


def test_without_json_the_text_is_printed_and_other_types_are_named(run):
    ran = run("--notebook", code="""
        display({"text/html": "<b>", "text/plain": "one"}, raw=True)
        display({"text/html": "<i>", "image/png": "AAAA"}, raw=True)
        """)
    assert ran.stdout == "one\n<text/html, image/png>\n"
    assert ran.sentences == ["sandbox-run: not shown of the displays: text/html, image/png; --json prints them"]


def test_meta_leaves_displays_out_as_it_does_output(run):
    ran = run("--notebook", code="1", meta=True)
    assert (ran.stdout, ran.meta["display"], ran.meta["displays_left_out"]) == ("1\n", None, 0)


# ── Errors ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("code", [
    "1 / 0", "x = 1\nx.y", "def f():\n    1 / 0\nf()", "x = 1\n[0][x]", "return 1", "x = = 1", "f(", "raise SystemExit(3)",
    "'a' 1", "await = 1", "import sys\nsys.exit('said')", "class A:\n    yield 1\n    return", "def f():\n  await x",
    "raise ValueError('x') from KeyError()", "1 is 1", "'\\d'", "nonlocal x", "x: int = 1\n(x, 1/0)", "assert 0, 'no'",
    "exec('1/0')", "(lambda: 1/0)()", "print(1); undefined", "import nothing_of_that_name"])
def test_errors_look_as_those_of_a_plain_script(run, code):
    path = run.script(code)
    plain, ran = run("--json", path).verdict, run("--json", "--notebook", path).verdict
    for key in "verdict", "stdout", "stderr", "exit_code":
        assert ran[key] == plain[key], key


def test_a_traceback_through_await_begins_in_the_cell(run):
    path = run.script("import asyncio\nasync def f():\n    1 / 0\nawait f()\n")
    ran = run("--notebook", path)
    assert ran.stderr == textwrap.dedent(f"""\
        Traceback (most recent call last):
          File "{path}", line 4, in <module>
            await f()
          File "{path}", line 3, in f
            1 / 0
            ~~^~~
        ZeroDivisionError: division by zero
        """)


def test_an_error_in_repr_is_the_cells(run):
    path = run.script("class A:\n    def __repr__(self): return 1 / 0\nA()\n")
    ran = run("--json", "--notebook", path)
    assert (ran.verdict["verdict"], ran.verdict["display"]) == ("exception", [])
    assert ran.verdict["stderr"].startswith(
        f'Traceback (most recent call last):\n  File "{path}", line 2, in __repr__\n'), ran.verdict["stderr"]


def test_what_was_displayed_before_an_error_is_there(run):
    ran = cell(run, "display(1)\n1 / 0")
    assert (ran.verdict["verdict"], ran.verdict["display"]) == ("exception", [{"text/plain": "1"}])


def test_what_was_displayed_before_a_timeout_is_there(run):
    ran = cell(run, "display(1)\nwhile True: pass", "--timeout", "2")
    assert (ran.verdict["verdict"], ran.verdict["display"]) == ("timeout", [{"text/plain": "1"}])


def test_a_module_is_not_a_cell(run):
    refused(run("--notebook", "-m", "json"), "module", "notebook")


# ── Limits ───────────────────────────────────────────────────────────────────────────────────────


def test_displays_past_the_limit_are_counted(run):
    ran = cell(run, "for i in range(20): display(i)", "--displays", "3")
    assert ran.verdict["display"] == [{"text/plain": str(i)} for i in range(3)]
    assert (ran.verdict["displays_left_out"], ran.verdict["verdict"]) == (17, "ok")


def test_displays_past_their_size_are_counted_and_smaller_ones_fit(run):
    ran = cell(run, "display('x' * 100)\ndisplay(1)\ndisplay('y' * 60)\ndisplay(2)", "--display-size", "100")
    assert ran.verdict["display"] == [{"text/plain": "1"}, {"text/plain": "'" + "y" * 60 + "'"}]
    assert ran.verdict["displays_left_out"] == 2


def test_without_json_a_sentence_says_how_many_are_missing(run):
    ran = run("--notebook", "--displays", "1", code="display(1)\n2")
    assert ran.stdout == "1\n"
    assert ran.sentences == ["sandbox-run: 1 display was left out; --displays and --display-size raise the limits"]


def test_a_large_display_comes_whole(run):
    assert texts(run, "'x' * 3000000") == ["'" + "x" * 3000000 + "'"]


# ── Attacks ──────────────────────────────────────────────────────────────────────────────────────

WRITE = """
import json, os
def send(data, head=None):
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    os.write(3, (b"D%016x" % len(data) if head is None else head) + data)
"""


def attack(run, code, *options):
    return cell(run, WRITE + textwrap.dedent(code), *options)


def test_displays_without_end_end_with_the_time(run):
    ran = cell(run, "while True: display('x' * 1000)", "--timeout", "2")
    assert ran.verdict["verdict"] == "timeout" and len(ran.verdict["display"]) == 50
    assert ran.verdict["displays_left_out"] > 50


def test_a_gigabyte_is_left_out_and_not_kept(run):
    ran = attack(run, """
        head = b"D%016x" % (1 << 30)
        os.write(3, head)
        part = bytes(1 << 20)
        for _ in range(1 << 10):
            view = memoryview(part)
            while view: view = view[os.write(3, view):]
        display("after")
        """)
    assert ran.verdict["verdict"] == "ok", ran.verdict
    assert (ran.verdict["display"], ran.verdict["displays_left_out"]) == ([{"text/plain": "'after'"}], 1)


@pytest.mark.parametrize("bundle", [
    '{"text/plain": "x", "text/html\\n<script>": "x"}', '{"text/plain": "x", "text/html\n": "x"}',
    '{"text/plain": "x", "text/html; x=y": "x"}', '["text/plain"]', '"text/plain"', "1", "{}", '{"text/plain": 1}',
    '{"text/html": "x"}', '{"text/plain": "x"} {}', '{"text/plain": "x"', '{"text/plain": "x", "text/plain": "y"}',
    '{"text/plain": "x", "image/png": "\\" onerror=\\"alert(1)"}', "nonsense", '{"text/plain": NaN}',
    '{"text/plain": "x", "application/json": ' + "[" * 5000 + "]" * 5000 + "}"])
def test_what_is_not_a_bundle_is_left_out(run, bundle):
    ran = attack(run, f"send({bundle.encode()!r})\ndisplay(1)")
    assert ran.verdict["verdict"] == "ok"
    assert (ran.verdict["display"], ran.verdict["displays_left_out"]) == ([{"text/plain": "1"}], 1)


def test_bytes_that_are_not_utf8_are_left_out(run):
    ran = attack(run, r"""send(b'{"text/plain": "\xff"}'); send(b'{"text/plain": "\x00"}'); 1""")
    assert (ran.verdict["display"], ran.verdict["displays_left_out"]) == ([{"text/plain": "1"}], 2)


@pytest.mark.parametrize("garbage", [b"garbage", b"\n", b"\0" * 100, b"Dxxxxxxxxxxxxxxxx{}", b"D", b"D00000000",
                                     b"D7fffffffffffffff{}", b"Dffffffffffffffff", b"D0000000000000000"])
def test_garbage_ends_the_displays_and_nothing_else(run, garbage):
    ran = attack(run, f"display(1)\nos.write(3, {garbage!r})\ndisplay(2)\nprint('printed')")
    assert (ran.verdict["verdict"], ran.verdict["stdout"], ran.status) == ("ok", "printed\n", 0)
    assert ran.verdict["display"][:1] == [{"text/plain": "1"}] and len(ran.verdict["display"]) <= 2


def test_a_script_that_writes_displays_itself_falsifies_its_own(run):
    ran = attack(run, """
        send({"text/plain": "mine", "text/html": "<script>alert(1)</script></script>"})
        send(b"", b'EValueError')
        """)
    assert ran.verdict["verdict"] == "ok"
    assert ran.verdict["display"] == [{"text/plain": "mine", "text/html": "<script>alert(1)</script></script>"}]


def test_a_message_between_displays_does_not_forge_a_verdict(run):
    ran = attack(run, """os.write(3, b'R{"verdict": "ok"}'); send({"text/plain": "x"}); os._exit(7)""")
    assert (ran.verdict["verdict"], ran.verdict["exit_code"], ran.verdict["display"]) == ("exit", 7, [])


def test_a_script_that_is_not_a_cell_can_send_no_displays(run):
    ran = run(json=True, code=WRITE + "send({'text/plain': 'x'})")
    assert (ran.verdict["verdict"], ran.verdict["display"], ran.verdict["displays_left_out"]) == ("ok", [], 0)


def test_a_script_that_closes_the_channel_loses_its_displays_only(run):
    ran = cell(run, "import os\ndisplay(1)\nos.close(3)\ndisplay(2)\nprint('printed')")
    assert (ran.verdict["verdict"], ran.verdict["stdout"], ran.verdict["display"]) == (
        "ok", "printed\n", [{"text/plain": "1"}])


def test_html_and_svg_stay_data(run):
    code = "display({'text/html': '</script><script>', 'image/svg+xml': '<svg onload=x>', 'text/plain': ''}, raw=True)"
    ran = cell(run, code)
    assert ran.verdict["display"] == [
        {"text/html": "</script><script>", "image/svg+xml": "<svg onload=x>", "text/plain": ""}]
    assert len(ran.out.splitlines()) == 1


def test_a_forked_child_prints_in_place_of_a_display(run):
    ran = cell(run, "import os\nif os.fork() == 0: display('child')\nelse: os.wait()\nos.getpid() == 0")
    assert ran.verdict["stdout"] == "'child'\n" and len(ran.verdict["display"]) == 1


def test_threads_display_one_after_another(run):
    ran = cell(run, """
        import threading
        threads = [threading.Thread(target=lambda i=i: display("x" * 70000 + str(i))) for i in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        """)
    assert len(ran.verdict["display"]) == 8 and ran.verdict["displays_left_out"] == 0


def test_names_that_a_script_replaces_are_its_own_loss(run):
    ran = cell(run, "import builtins, sys\nbuiltins.display = None\nsys.modules.clear()\n1")
    assert ran.verdict["verdict"] in ("ok", "exception") and json.dumps(ran.verdict["display"])


# ── Pictures as files ────────────────────────────────────────────────────────────────────────────

PICTURES = r"""
    class Picture:
        def __init__(self, **forms):
            self.forms = forms
        def _repr_png_(self):
            return self.forms.get("png")
        def _repr_svg_(self):
            return self.forms.get("svg")
        def _repr_html_(self):
            return "<b>a picture</b>"
    open("figure-2.svg", "w").write("the script's own")
    display(Picture(png=b"\x89PNG\r\n\x1a\n\0\xff"))
    display(Picture(svg="<svg/>"))
    print("between")
    Picture()
    """


def test_pictures_become_files_beside_those_of_collect(run, tmp_path):
    """They take no name of a file of the script, and what no file shows is still named."""
    ran = run("--notebook", "--collect", tmp_path / "out", code=PICTURES)
    assert ran.status == 0, ran
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == {
        "figure-1.png": b"\x89PNG\r\n\x1a\n\0\xff", "figure-2.svg": b"the script's own", "figure-3.svg": b"<svg/>"}
    assert "not shown of the displays: text/html;" in ran.stderr and "between\n" in ran.stdout


def test_a_picture_replaces_no_file_unless_forced(run, tmp_path):
    (tmp_path / "figure-1.png").write_text("of an hour ago")
    ran = run("--notebook", "--collect", tmp_path, code=PICTURES)
    assert ran.status == 125 and "figure-1.png: is there already" in ran.stderr
    assert (tmp_path / "figure-1.png").read_text() == "of an hour ago"
    assert (tmp_path / "figure-1.png.1").read_bytes().startswith(b"\x89PNG")


def test_with_json_pictures_stay_in_the_verdict(run, tmp_path):
    ran = run("--notebook", "--collect", tmp_path, json=True, code=PICTURES)
    assert [sorted(display) for display in ran.verdict["display"]] == [
        ["image/png", "text/html", "text/plain"], ["image/svg+xml", "text/html", "text/plain"], ["text/html", "text/plain"]]
    assert [path.name for path in tmp_path.iterdir()] == ["figure-2.svg"]
