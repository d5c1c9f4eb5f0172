"""A source file is read in the encoding that it declares, as python3 reads it; code that is text is Unicode whatever
it declares. A module runs as by python3 -m."""

import subprocess

import pytest

NIHAO = "你好"


@pytest.mark.parametrize("source", [
    b'# -*- coding: latin-1 -*-\nprint(ascii("\xe9"))\n',
    b'# coding: gbk\nprint("\xc4\xe3\xba\xc3")\n',
    b'#!/usr/bin/python3\n# vim: set fileencoding=cp1252 :\nprint("\x80")\n',
    b'\xef\xbb\xbfprint("a byte order mark")\n',
    b'\xef\xbb\xbf# coding: utf-8\nprint("both")\n',
    b'\n# coding=latin-1\nprint(ascii("\xe9"))\n',
    b'x = 1\n# coding: latin-1\nprint("\xc3\xa9: on the second line only after a comment")\n',
    b'# coding: utf-8\r\nprint("\xc3\xa9")\r\n',
    b'# a comment without any\n\n# coding: latin-1\nprint("\xc3\xa9: the third line declares nothing")\n',
    b'x = "# coding: latin-1"\nprint("\xc3\xa9")\n',
    b'# coding: latin-1\ndef f():\n    return "\xe9"\nraise ValueError(ascii(f()))\n',
])
def test_a_file_is_read_in_the_encoding_that_it_declares(run, source):
    script = run.script(source)
    plain = subprocess.run(["/usr/bin/python3", script], capture_output=True, check=False, env={"LANG": "C.UTF-8"})
    ran = run(script)
    assert (ran.status, ran.out) == (plain.returncode, plain.stdout)
    assert ran.stderr.splitlines()[-1:] == plain.stderr.decode().splitlines()[-1:]


@pytest.mark.parametrize(("source", "said"), [
    (b'print("\xe9")\n', "Non-UTF-8 code starting with '\\xe9'"),
    (b"# coding: nonsense\nprint(1)\n", "encoding problem: nonsense"),
    (b"\xef\xbb\xbf# coding: gbk\nprint(1)\n", "encoding problem: gbk with BOM"),
    (b"\xff\xfeprint(1)\n", "Non-UTF-8 code starting with"),
])
def test_a_file_that_python_cannot_decode_is_its_syntax_error(run, source, said):
    ran = run(run.script(source), json=True)
    assert (ran.status, ran.verdict["verdict"]) == (1, "exception")
    assert said in ran.verdict["stderr"]


def test_code_on_the_command_line_is_text_whatever_it_declares(run):
    for name in ("gbk", "latin-1", "ascii", "nonsense", "UTF-16"):
        assert run(code=f"# coding: {name}\nprint('{NIHAO}')").stdout == f"{NIHAO}\n"


def test_a_traceback_shows_the_line_of_text_that_declares_another_encoding(run):
    ran = run(run.script(f"# coding: utf_8\nraise ValueError('{NIHAO}')\n"))
    assert f"    raise ValueError('{NIHAO}')" in ran.stderr


def test_code_from_standard_input_is_a_source_file(run):
    assert run("-", stdin=b'# coding: latin-1\nprint(ascii("\xe9"))\n').stdout == "'\\xe9'\n"


# ── Modules ──────────────────────────────────────────────────────────────────────────────────────


def test_a_module_is_run_with_its_arguments(run):
    ran = run("-m", "calendar", "2024", "2")
    assert (ran.status, ran.stdout.splitlines()[0].strip()) == (0, "February 2024")


def test_a_module_runs_as_by_python3(run, tmp_path):
    (tmp_path / "tool").mkdir()
    (tmp_path / "tool" / "__main__.py").write_text(
        "import sys, traceback\nfrom . import part\nprint(__name__, __package__, sys.argv[1:], part.VALUE)\n"
        "traceback.print_stack(file=sys.stdout)\nsys.exit(5)\n")
    (tmp_path / "tool" / "part.py").write_text("VALUE = 7\n")
    plain = subprocess.run(["/usr/bin/python3", "-m", "tool", "a"], cwd=tmp_path, capture_output=True, check=False)
    ran = run("--files", "tool", "-m", "tool", "a", cwd=tmp_path)
    assert ran.status == plain.returncode == 5
    assert ran.stdout == plain.stdout.decode().replace(str(tmp_path), "/work")


@pytest.mark.parametrize("module", ["no_such_module", "json.no_such", "os.path.x"])
def test_a_module_that_is_not_there_is_told_as_by_python3(run, module):
    ran = run("-m", module, json=True)
    plain = subprocess.run(["/usr/bin/python3", "-m", module], capture_output=True, check=False, text=True)
    assert (ran.status, ran.verdict["stderr"].rpartition(": ")[2]) == (1, plain.stderr.rpartition(": ")[2])


def test_what_is_no_modules_name_is_refused(run):
    for name in ("", "a b", "../x", "1x", "a..b", ".a"):
        ran = run("-m", name)
        assert (ran.status, ran.stdout) == (125, "")
        assert "module" in ran.stderr


def test_a_module_beside_the_script_is_hinted_at(run, tmp_path):
    (tmp_path / "helper.py").write_text("VALUE = 1\n")
    script = tmp_path / "script.py"
    script.write_text("import helper\n")
    ran = run(script)
    assert ran.status == 1
    hint = f"sandbox-run: the script can't see the files beside it: add --files {tmp_path}/helper.py"
    assert ran.sentences == [hint]
    assert run("--merge-stderr", script).sentences == [hint]
    assert run("--files", tmp_path / "helper.py", script).status == 0
    script.write_text("import no_such_module_at_all\n")
    assert run(script).sentences == []
