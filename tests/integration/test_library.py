"""libsandbox as a program of other people's uses it: compiled against the header, linked with the library."""

import os
import re
import shutil
import subprocess

import pytest

from conftest import CHECKOUT, LIBRARY, SANITIZE

pytestmark = [pytest.mark.cold, pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler here")]


def test_the_example_of_the_manual_compiles_and_runs(compiled, tmp_path):
    manual = (CHECKOUT / "man" / "libsandbox.3").read_text("utf-8")
    source = tmp_path / "example.c"
    source.write_text(re.search(r"^\.Bd .*?\n(.*?)^\.Ed", manual, re.M | re.S).group(1).replace(r"\e", "\\"))
    ran = subprocess.run([compiled(source)], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "ok: 42\n", "")


@pytest.mark.vm("delegated")
@pytest.mark.slow
def test_one_thread_supervises_hundreds_of_jobs_in_a_loop_of_its_callers_and_leaves_no_descriptor(compiled):
    jobs = 40 if SANITIZE or os.environ.get("SANDBOX_TEST_QUICK") else 300
    program = compiled(CHECKOUT / "tests" / "integration" / "many_jobs.c")
    ran = subprocess.run([program, str(jobs), os.environ.get("SANDBOX_TEST_CGROUP") or "auto"], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"{jobs} good, 0 descriptors left\n", "")


def test_the_shared_library_exports_nothing_but_what_the_header_declares():
    header = (CHECKOUT / "include" / "sandbox.h").read_text("utf-8")
    declared = set(re.findall(r"\b(sb_\w+)\(", re.sub(r"/\*.*?\*/", "", header, flags=re.S)))
    symbols = subprocess.run(["nm", "-D", "--defined-only", LIBRARY / "libsandbox.so"], check=True, capture_output=True,
                             text=True).stdout
    exported = {line.split()[2] for line in symbols.splitlines()}
    assert exported == declared


def test_what_a_zygote_loads_asks_for_nothing_that_an_older_c_library_lacks():
    """The names that newer headers give to old functions (C23, fortification) are not there in an older one, nor in another."""
    symbols = subprocess.run(["nm", "-D", "--undefined-only", LIBRARY.parent / "warm" / "libzygote.so"], check=True,
                             capture_output=True, text=True).stdout
    names = {line.split()[-1].partition("@")[0] for line in symbols.splitlines()}
    assert {"recvmsg", "PyOS_BeforeFork"} <= names
    assert [name for name in names if name.startswith("__isoc") or name.endswith("_chk")] == []
    # What reads numbers has such names everywhere: there are none of them here.
    assert [name for name in names if re.match(r"str(to|f)|sscanf|ato", name)] == []
