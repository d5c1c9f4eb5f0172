"""./dev, as somebody meets it who has just found the project."""

import os
import subprocess

import pytest

from conftest import CHECKOUT


def dev(*arguments, **variables):
    return subprocess.run([CHECKOUT / "dev", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env=os.environ | variables)


@pytest.mark.parametrize("arguments", [["--help"], ["test", "--help"], ["bench", "--help"], ["lint", "--help"]])
def test_asking_what_there_is_builds_nothing(arguments, tmp_path):
    ran = dev(*arguments, XDG_CACHE_HOME=str(tmp_path))
    assert (ran.returncode, ran.stderr, os.listdir(tmp_path)) == (0, "", [])
    assert ran.stdout.startswith("usage: ")


def test_a_verb_that_there_is_not_is_answered_with_those_there_are():
    ran = dev("brew")
    assert (ran.returncode, ran.stdout) == (2, "") and ran.stderr.startswith("usage: ./dev run")


def test_building_writes_nothing_to_standard_output():
    """Else it would stand before what the script of ./dev run writes."""
    ran = dev("build")
    assert (ran.returncode, ran.stdout) == (0, "")
