"""Wall clocks that a test steps while programs run; clocks that nobody sets go on as they do."""

import pathlib
import shutil
import struct
import subprocess

import pytest

HOUR = 3600  # seconds


class Clock:
    """Of one program, which is started with its environment `env`."""

    def __init__(self, library, file):
        self._file = file
        self.step(0)
        self.env = {"LD_PRELOAD": str(library), "SANDBOX_TEST_CLOCK": str(file)}

    def step(self, seconds):
        """It now shows so much more than the host's."""
        with open(self._file, "r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("=q", int(seconds * 10**9)))  # in one piece: the program has it mapped


class Clocks:
    """Makes them, in a directory."""

    def __init__(self, place):
        if shutil.which("cc") is None:
            pytest.skip("no C compiler here")
        self._place = place / "clocks"
        self._place.mkdir()
        self._library = self._place / "stepped_clock.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-o", self._library,
                        pathlib.Path(__file__).with_name("stepped_clock.c")], check=True)

    def make(self, name):
        return Clock(self._library, self._place / name)
