"""tests/run, which runs all other tests: here those of a tree that has two parts with a few."""

import importlib.machinery
import importlib.util
import re
import shutil
import subprocess
import sys

import pytest

from sandbox_run import CHECKOUT

pytestmark = pytest.mark.cold

HTTP = """
import os, pytest
def test_good(): pass
def test_bad(): assert False
@pytest.mark.skip(reason="not here")
def test_skipped(): pass
def test_good_alone():
    if not os.path.exists("tried"):
        open("tried", "w").close()
        assert False
"""
ATTACK = """
import pytest
def test_kind(): pass
@pytest.mark.skip(reason="nor here")
def test_of_another_world(): pass
"""


@pytest.fixture
def tree(tmp_path):
    for name in ("build", "tests/http", "tests/attack", "tests/browser"):
        (tmp_path / name).mkdir(parents=True)
    shutil.copy(CHECKOUT / "tests/run", tmp_path / "tests")
    (tmp_path / "tests/http/test_one.py").write_text(HTTP)
    (tmp_path / "tests/attack/test_two.py").write_text(ATTACK)
    return tmp_path


@pytest.fixture
def tests(tree):
    """tests("http", …) calls it; gives its exit status and what it said last."""
    def call(*words):
        ran = subprocess.run([tree / "tests/run", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return ran.returncode, ran.stdout.splitlines()[-3:] + ran.stderr.splitlines()[-1:]

    return call


def test_the_last_line_adds_up_and_what_passes_alone_has_passed(tests):
    status, said = tests("http")
    assert status == 1
    assert said == ["passed only alone: http: http.test_one::test_good_alone", "failed parts: http",
                    "2 passed, 1 failed, 1 skipped"]


def test_a_part_in_which_nothing_ran_has_failed(tests):
    status, said = tests("browser")
    assert (status, said[-2:]) == (1, ["failed parts: browser", "0 passed, 1 failed, 0 skipped"])


def test_words_select_tests_and_it_is_an_error_when_they_select_none(tests):
    status, said = tests("http", "attack", "-k", "kind or good and not alone")
    assert (status, said[-1]) == (0, "2 passed, 0 failed, 0 skipped")
    status, said = tests("http", "-k", "nowhere")
    assert (status, said[1:]) == (1, ["no test of http is selected by -k nowhere", "0 passed, 1 failed, 0 skipped"])


def test_what_follows_two_dashes_goes_to_pytest_as_it_is(tests):
    status, said = tests("http", "--", "--deselect=http/test_one.py::test_good", "-x")
    assert (status, said[-1]) == (1, "0 passed, 1 failed, 0 skipped"), "nothing was tried again, nothing goes on"


def test_a_part_that_is_interrupted_has_failed_and_adds_up(tree, tests):
    (tree / "tests/browser/test_three.py").write_text("""
import os, signal
def test_good(): pass
def test_interrupted(): os.kill(os.getpid(), signal.SIGINT)
""")
    status, said = tests("browser", "--", "--tb=short")
    assert (status, said[-2:]) == (1, ["failed parts: browser", "1 passed, 1 failed, 0 skipped"])


@pytest.mark.parametrize("words, said", [
    (["htp"], "there is no part htp; there are unit, "),
    (["http", "-k", "a b"], "-k takes words joined by "),
    (["http", "-v"], "there is no option -v; options of pytest go behind --"),
    (["http", "--all"], "--all is every part"),
])
def test_wrong_usage_is_named(tests, words, said):
    status, lines = tests(*words)
    assert status == 2 and said in lines[-1]


def loaded(path, monkeypatch):
    loader = importlib.machinery.SourceFileLoader("tests_run", str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("tests_run", loader))
    monkeypatch.setitem(sys.modules, "tests_run", module)
    loader.exec_module(module)
    return module


def test_the_readme_has_each_part_with_its_minutes_and_its_promise(monkeypatch):
    table = re.findall(r"^\| ([\w.-]+) \| ([\d.]+) \| (.*?) \|", (CHECKOUT / "tests/README.md").read_text(), re.M)
    parts = loaded(CHECKOUT / "tests/run", monkeypatch).PARTS
    assert table == [(name, str(part.minutes), part.promise) for name, part in parts.items()]


def test_of_everything_a_test_that_ran_nowhere_has_failed(tree, monkeypatch, capfd):
    module = loaded(tree / "tests/run", monkeypatch)
    monkeypatch.setattr(module, "PARTS", {"attack": module.PARTS["attack"]})
    for words, status in (["run"], 0), (["run", "--all"], 1):
        monkeypatch.setattr("sys.argv", words)
        assert module.main() == status
        said = capfd.readouterr().out
        assert ("ran nowhere: attack.test_two::test_of_another_world: nor here" in said) == (status == 1)
        assert re.search(rf"^1 passed, {status} failed, 1 skipped$", said, re.M)
