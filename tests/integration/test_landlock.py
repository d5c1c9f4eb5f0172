"""Landlock, behind the other layers: it refuses mounts and signals to processes outside the script."""

import ctypes
import errno

import pytest

from kernel import without

pytestmark = pytest.mark.vm("delegated")

NO_LANDLOCK = without(landlock_create_ruleset=errno.ENOSYS)


def landlock():
    """The version of the host's interface, of which 2 and more are used."""
    return ctypes.CDLL(None).syscall(444, None, 0, 1)


@pytest.fixture
def with_landlock():
    if landlock() < 2:
        pytest.skip("needs a kernel with Landlock")


@pytest.mark.cold  # see landlock.c
@pytest.mark.parametrize("host", ["with", "without"])
def test_landlock_refuses_mounts_to_a_script_that_came_by_capabilities(run, filter_allows, with_landlock, host):
    """Under a filter that lets a script make user namespaces: without Landlock it mounts there."""
    ran = run("--policy", filter_allows("unshare", "mount"), preexec_fn=None if host == "with" else NO_LANDLOCK,
              code="""
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        print(libc.unshare(0x10000000 | 0x20000))  # CLONE_NEWUSER, CLONE_NEWNS
        print(libc.mount(b"/tmp", b"/work", None, 4096, None), ctypes.get_errno())  # MS_BIND
        """)
    assert ran.stdout == ("0\n-1 1\n" if host == "with" else "0\n0 0\n"), ran


@pytest.mark.parametrize("host", ["with", "without"])
def test_landlock_keeps_signals_in_the_script(run, host):
    if landlock() < 6:
        pytest.skip("needs Linux 6.12")
    ran = run(preexec_fn=None if host == "with" else NO_LANDLOCK, code="""
        import os, signal, subprocess
        try:
            os.kill(1, 0)
            print("sent")
        except PermissionError:
            print("refused")
        child = subprocess.Popen(["sleep", "1000"])
        child.terminate()
        print(child.wait())
        """)
    assert ran.stdout == ("refused\n-15\n" if host == "with" else "sent\n-15\n"), ran


def test_landlock_leaves_a_scripts_files_to_it(run):
    ran = run(code="""
        import os
        os.makedirs("/tmp/a"), os.makedirs("/tmp/b/c")
        open("/tmp/a/file", "w").close()
        os.rename("/tmp/a/file", "/tmp/b/c/file")
        os.link("/tmp/b/c/file", "/tmp/a/linked")
        os.mkfifo("/tmp/a/pipe")
        os.rename("/tmp/b", "/tmp/a/b")
        print(sorted(os.listdir("/tmp/a")), os.listdir("/tmp/a/b/c"))
        """)
    assert ran.stdout == "['b', 'linked', 'pipe'] ['file']\n", ran
