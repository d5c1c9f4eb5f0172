"""SECURITY.md tells the truth about which layer stops what: its table is what the scripts find when a layer is off."""

import os
import pathlib
import re
import subprocess

import pytest

import layers

PROGRAM = layers.CHECKOUT / "build/tests/sandbox-run-without"
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="sandbox-run-without is built with the tests")
as_root = pytest.mark.skipif(os.getuid() != 0, reason="the table is root's, whose jobs have users of their own")


def names_in(row):
    """The scripts in its last column."""
    return re.findall(r"`(\w+)`", row.rsplit(" | ", 1)[1])


@as_root
@pytest.mark.long
@pytest.mark.parametrize("layer", layers.LAYERS, ids=lambda layer: layer.name)
def test_the_table_says_what_gets_through_without_a_layer(layer):
    results = layers.try_all(layer, workers=1)
    found = layers.through(results)
    table = layers.written_table()
    (written,) = (line for line in table.split("\n") if line.startswith(f"| {layer.what} |"))
    named = set(names_in(written))
    assert written == layers.row(layer, sorted(named))
    # Another kernel may have less to be reached.
    there = named if f"Made on Linux {layers.kernel()} " in table else named & set(found)
    differ = (set(found) ^ there) - layers.OF_THE_HOST
    assert not differ, {name: results[name] for name in differ}


def test_each_script_is_tried_without_some_layer():
    tried = {attack.name for layer in layers.LAYERS for attack in layer.scripts()}
    assert tried == {attack.name for attack in layers.test_attack.ATTACKS}


def test_the_table_has_a_row_for_each_layer_and_names_scripts_that_there_are():
    rows = [line for line in layers.written_table().split("\n") if line.startswith("| ")][2:]
    assert [row.split(" | ")[0] for row in rows] == [f"| {layer.what}" for layer in layers.LAYERS]
    assert [int(row.split(" | ")[1]) for row in rows] == [len(layer.scripts()) for layer in layers.LAYERS]
    scripts = {attack.name for attack in layers.test_attack.ATTACKS}
    assert {name for row in rows for name in names_in(row)} <= scripts


@pytest.mark.parametrize("name", ["sandbox-run", "sandbox-serve", "src/core/libsandbox.so"])
def test_no_layer_can_be_switched_off_in_what_is_installed(name):
    """The switch is a name in the environment; no program but that of the tests has it in it."""
    switch = b"SANDBOX_WITHOUT"
    assert switch in PROGRAM.read_bytes()
    assert switch not in pathlib.Path(layers.CHECKOUT / "build" / name).read_bytes()


def test_the_program_with_switches_is_never_installed():
    plan = subprocess.run(["meson", "introspect", "--installed", str(layers.CHECKOUT / "build")], capture_output=True,
                          text=True, check=True).stdout
    assert "sandbox-run" in plan and "without" not in plan
