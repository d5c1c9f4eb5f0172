"""sandbox-run on a terminal: its keys and its end reach sandbox-run, and the script has none."""

import os
import pty
import signal
import termios

import pytest

from processes import descendants
from waiting import until


class Terminal:
    """sandbox-run in a session of its own on a terminal of its own, as a shell would start it."""

    def __init__(self, command):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            try:
                os.execv(command[0], command)
            finally:
                os._exit(99)
        attributes = termios.tcgetattr(self.master)
        attributes[1] &= ~termios.OPOST
        termios.tcsetattr(self.master, termios.TCSANOW, attributes)
        self.seen = ""

    def wait_for(self, text):
        while text not in self.seen:
            try:
                part = os.read(self.master, 65536)
            except OSError:  # EIO: the other end is closed
                part = b""
            assert part, f"ended without {text!r}: {self.seen!r}"
            self.seen += part.decode("utf-8", "replace")

    def rest(self):
        try:
            while part := os.read(self.master, 65536):
                self.seen += part.decode("utf-8", "replace")
        except OSError:
            pass
        return self.seen

    def status(self):
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.fixture
def terminal(run):
    terminals = []

    def start(**keywords):
        terminals.append(Terminal(run.command(**keywords)))
        return terminals[-1]

    yield start
    for each in terminals:
        os.close(each.master)


def test_no_terminal_is_inside_the_sandbox(terminal):
    on_tty = terminal(code="""
        import os, fcntl, termios
        print("isatty", [os.isatty(fd) for fd in range(3)])
        for path in ("/dev/tty", "/dev/console", "/dev/pts/0", "/dev/ptmx", "/dev/tty0"):
            try:
                os.open(path, os.O_RDWR | os.O_NOCTTY)
                print("opened", path)
            except OSError as error:
                pass
        print("tty_nr", open("/proc/self/stat").read().rpartition(")")[2].split()[4])
        for fd in range(3):
            try:
                fcntl.ioctl(fd, termios.TIOCSTI, b"x")
                print("pushed a character")
            except OSError:
                pass
        print("end")
        """)
    seen = on_tty.rest()
    assert on_tty.status() == 0, seen
    assert seen.split("\n") == ["isatty [False, False, False]", "tty_nr 0", "end", ""]


def test_ctrl_c_ends_the_job(terminal):
    on_tty = terminal(code="""
        import time
        print("ready", flush=True)
        try:
            time.sleep(1000)
        except KeyboardInterrupt:
            print("the script got it")
        """)
    on_tty.wait_for("ready")
    os.write(on_tty.master, b"\x03")
    seen = on_tty.rest()
    assert on_tty.status() == 130, seen
    assert "SIGINT" in seen and "the script got it" not in seen


def test_ctrl_z_does_not_stop_the_clocks(terminal):
    on_tty = terminal(code="""
        print("ready", flush=True)
        print("got", input(), flush=True)
        """)
    on_tty.wait_for("ready")
    os.write(on_tty.master, b"\x1a")
    os.write(on_tty.master, b"a line\n")
    on_tty.wait_for("got a line")
    on_tty.rest()
    assert on_tty.status() == 0


def test_ctrl_d_ends_the_input(terminal):
    on_tty = terminal(code="import sys; print('ready', flush=True); print(sys.stdin.read())")
    on_tty.wait_for("ready")
    os.write(on_tty.master, b"typed\n\x04")
    seen = on_tty.rest()
    assert on_tty.status() == 0
    assert seen.count("typed") == 2  # the echo, and what the script printed


def test_a_terminal_that_goes_away_ends_the_job(run):
    on_tty = Terminal(run.command(code="print('ready', flush=True); import time; time.sleep(1000)"))
    on_tty.wait_for("ready")
    os.close(on_tty.master)
    assert on_tty.status() in (128 + signal.SIGHUP, 141)


def test_the_terminal_is_left_as_it_was(run):
    on_tty = Terminal(run.command(code="print('ready', flush=True)"))
    before = termios.tcgetattr(on_tty.master)
    on_tty.wait_for("ready")
    assert termios.tcgetattr(on_tty.master) == before
    on_tty.rest()
    assert on_tty.status() == 0
    os.close(on_tty.master)


def test_a_job_in_the_background_of_a_terminal_is_not_stopped(run):
    # SIGTTIN stops a process that reads from a terminal in its background. The script never asked for input.
    shell = ("set -m; trap '' TTOU; \"$@\" & wait; jobs -l; echo all done")
    command = ["/bin/bash", "-c", shell, "bash",
               *run.command(code="print('ran in the background')")]
    on_tty = Terminal(command)
    on_tty.wait_for("all done")
    assert "ran in the background" in on_tty.seen
    assert "Stopped" not in on_tty.seen
    os.close(on_tty.master)
    on_tty.status()
    until(lambda: not descendants())
