"""Tracebacks of code for which the parser runs Python of its own before the first line of the script."""

import pytest

CODE = {
    "a name that is not ASCII": "ä = 1\n1 / 0\n",
    "only such names": "print(ä)\n",
    "another encoding": "# -*- coding: cp1252 -*-\nx = 1\n1 / 0\n",
    "a syntax error": "ä = 1\nb = = 2\n",
    "a warning": "ä = 1\nä is 1\n1 / 0\n",
}


@pytest.mark.parametrize("what", CODE)
def test_its_traceback_names_the_script_and_shows_its_line(run, what, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(CODE[what], "utf-8")
    ran = run("script.py", cwd=tmp_path)
    lines = CODE[what].splitlines()
    number = 2 if what == "a syntax error" else len(lines)
    assert ran.status == 1 and "<string>" not in ran.stderr
    assert f'File "script.py", line {number}' in ran.stderr and f"    {lines[number - 1]}\n" in ran.stderr
