"""The manuals describe everything that exists, and nothing else."""

import math
import re
import subprocess

import pytest

from sandbox_run import CHECKOUT

pytestmark = pytest.mark.cold

@pytest.mark.parametrize("program, page", [("build/sandbox-run", "sandbox-run.1"),
                                           ("rootfs/sandbox-rootfs", "sandbox-rootfs.1")])
def test_a_programs_manual_has_the_options_of_its_help(program, page):
    shown = subprocess.run([CHECKOUT / program, "--help"], capture_output=True, text=True, check=True)
    source = (CHECKOUT / "man" / page).read_text("utf-8")
    items = re.findall(r"^\.It Fl (.*)", source, re.M)
    described = {f"-{name}" for item in items for name in re.findall(r"(?<![\w-])-[a-z][a-z-]*", item)}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", shown.stdout)) == described


@pytest.mark.parametrize("page", sorted(path.name for path in (CHECKOUT / "man").iterdir()))
def test_no_quotation_of_a_manual_stands_within_another(page):
    """A macro of mdoc's that quotes does so to the end of its line: a second one there is within the first."""
    nested = [line for line in (CHECKOUT / "man" / page).read_text("utf-8").splitlines()
              if len(re.findall(r"(?:^\.| )(?:Ql|Sq|Dq|Qq)(?= )", line)) > 1]
    assert nested == []


def test_the_librarys_manual_has_all_functions_of_the_header():
    header = (CHECKOUT / "include/sandbox.h").read_text("utf-8")
    manual = (CHECKOUT / "man/libsandbox.3").read_text("utf-8")
    functions = set(re.findall(r"^SB_API [^;(]*?\b(sb_\w+)\(", header, re.M))
    assert functions == set(re.findall(r"^\.Fn (sb_\w+)", manual, re.M))


def test_each_story_of_an_attack_names_the_scripts_that_try_it():
    text = (CHECKOUT / "SECURITY.md").read_text("utf-8")
    rows = re.findall(r"^\| (.+) \| (.+) \| (.+) \|$", text.partition("\n## Stories\n")[2].partition("\n## ")[0], re.M)[2:]
    assert len(rows) > 30
    scripts = {path.stem for path in (CHECKOUT / "tests/attack").glob("*_*.py")} - {"test_attack"}
    for story, why, named in rows:
        assert why.strip(), story
        names = re.findall(r"`(\w+)`", named)
        assert names and set(names) <= scripts, story


def test_the_commands_and_files_that_the_page_on_capacity_names_exist():
    text = (CHECKOUT / "src/deploy/CAPACITY.md").read_text("utf-8")
    for path, pattern in (("tests/bench/bench", r"`\./dev bench (-[^`]*)`"), ("build/sandbox-serve", r"`(--[^`]*)`")):
        shown = subprocess.run([CHECKOUT / path, "--help"], capture_output=True, text=True, check=True).stdout
        options = {option for words in re.findall(pattern, text) for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", words)}
        assert options and options <= set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", shown)), path
    files = re.findall(r"`((?:tests|src|rootfs)/[\w./-]+)`", text)
    assert files
    assert [name for name in files if not (CHECKOUT / name).exists()] == []


def test_the_page_on_capacity_reckons_right():
    """Cores of a number of jobs a minute: as its own formula says, from its own figures."""
    text = (CHECKOUT / "src/deploy/CAPACITY.md").read_text("utf-8")
    share = float(re.search(r"at most (\d+) % of the time", text)[1]) / 100
    rows = re.findall(r"^\|.*\| ([\d,]+) \| ([\d.]+) \| ([\d.,]+) \| ([\d,]+) \|$", text, re.M)
    assert len(rows) >= 4
    for a_minute, milliseconds, busy, cores in rows:
        needed = int(a_minute.replace(",", "")) / 60 * float(milliseconds) / 1000
        assert float(busy.replace(",", "")) == pytest.approx(needed, rel=.02, abs=.005), (a_minute, milliseconds)
        assert int(cores.replace(",", "")) == math.ceil(needed / share), (a_minute, milliseconds)
