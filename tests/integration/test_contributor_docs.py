"""The files, functions and folders that ARCHITECTURE.md and CONTRIBUTING.md name exist."""

import re
import subprocess

import pytest

from sandbox_run import CHECKOUT

pytestmark = pytest.mark.cold

TEXTS = ["ARCHITECTURE.md", "CONTRIBUTING.md"]


def quoted(text):
    return re.findall(r"`([^`\n]+)`", (CHECKOUT / text).read_text())


@pytest.mark.parametrize("text", TEXTS)
def test_each_path_in_the_text_exists(text):
    paths = {each for each in quoted(text) if re.fullmatch(r"[\w.-]+(/[\w.-]+)+", each)}
    assert paths and [each for each in paths if not (CHECKOUT / each).exists()] == []


def test_each_function_in_the_text_is_one():
    names = {each for each in quoted("ARCHITECTURE.md") if re.fullmatch(r"[a-z]+(_[a-z]+)+", each)}
    sources = "".join(path.read_text() for place in ("src", "rootfs", "policies", "include", "man")
                      for path in (CHECKOUT / place).rglob("*") if path.suffix in (".c", ".h", ".py", ".json", ".5"))
    assert names and [each for each in names if not re.search(rf"\b{each}\b", sources)] == []


def test_each_file_named_alone_is_in_a_folder_that_the_text_has_named():
    named = {each for each in quoted("ARCHITECTURE.md") if re.fullmatch(r"[a-z_]+\.(c|h|py)", each)}
    there = {path.name for place in ("src", "rootfs") for path in (CHECKOUT / place).rglob("*")}
    assert named and named - there == set()


def test_each_folder_of_the_sources_has_a_row():
    rows = set(re.findall(r"^\| `(src/\w+)` \|", (CHECKOUT / "ARCHITECTURE.md").read_text(), re.M))
    assert {f"src/{path.name}" for path in (CHECKOUT / "src").iterdir() if path.is_dir()} == rows


def test_a_wrong_include_fails_the_check_of_the_layers(tmp_path):
    for place in ("src", "tests/lint"):
        subprocess.run(["cp", "-r", "--parents", place, tmp_path], cwd=CHECKOUT, check=True)
    check = tmp_path / "tests/lint/layers.py"
    assert subprocess.run([check], capture_output=True).returncode == 0
    source = tmp_path / "src/common/utf8.c"
    for name, said in (("core/run.h", "common may not include from core"), ("run.h", "does not name its folder")):
        source.write_text(f'#include "{name}"\n')
        ran = subprocess.run([check], capture_output=True, text=True)
        assert ran.returncode == 1 and said in ran.stdout
