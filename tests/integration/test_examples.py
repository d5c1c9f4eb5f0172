"""Every example of README.md and of the man pages runs, and does what stands below it.

An example is a line that begins with "$ " in a ```sh block of README.md or in a .Bd block of
man/*.1, man/*.5. The lines below it, up to the next one, are its output: "…" stands for anything.
Without such lines any output will do. The commands of a block run in one shell, and all must
succeed; `|| echo $?` shows another exit status. Blocks that build, install, change the host or ask a service
(see OUTSIDE) are none of these."""

import os
import re
import shlex
import subprocess

import pytest

from sandbox_run import CHECKOUT

pytestmark = pytest.mark.cold

OUTSIDE = re.compile(r"^(\./dev|sudo|apt|apt-get|git|meson|ninja|systemctl|systemd-run|loginctl|"
                     r"sandbox-rootfs|sandbox-serve|sysctl|mount|docker|curl|cd|make|cc|gcc|man)\b|"
                     r"--selftest|--doctor|--via")
END = "end-of-example"


def of_readme(text):
    for match in re.finditer(r"^```sh\n(.*?)^```", text, re.M | re.S):
        yield match.group(1).splitlines()


def of_man(text):
    for match in re.finditer(r"^\.Bd .*?\n(.*?)^\.Ed", text, re.M | re.S):
        lines = match.group(1).splitlines()
        for escape, plain in ((r"\(aq", "'"), (r"\(dq", '"'), (r"\-", "-"), (r"\&", ""),
                              (r"\(ga", "`"), (r"\(ti", "~"), (r"\(ha", "^"), (r"\e", "\\")):
            lines = [line.replace(escape, plain) for line in lines]
        yield lines


def examples():
    sources = [(CHECKOUT / "README.md", of_readme)]
    sources += [(path, of_man) for path in sorted((CHECKOUT / "man").glob("*.[1-8]"))]
    for path, blocks in sources:
        if not path.exists():
            continue
        for number, lines in enumerate(blocks(path.read_text("utf-8")), 1):
            steps = []
            for line in lines:
                if line.startswith("$ "):
                    steps.append((line[2:], []))
                elif steps and steps[-1][0].endswith("\\"):
                    steps[-1] = (steps[-1][0][:-1] + line.lstrip("> "), [])
                elif steps:
                    steps[-1][1].append(line)
            if steps and not any(OUTSIDE.search(command) for command, _ in steps):
                yield pytest.param(steps, id=f"{path.name}-{number}")


@pytest.mark.parametrize("steps", list(examples()))
def test_an_example_works_as_it_is_shown(run, host, steps, tmp_path):
    bin_directory = tmp_path / "bin"
    bin_directory.mkdir()
    wrapper = bin_directory / "sandbox-run"
    wrapper.write_text("#!/bin/sh\nexec " + shlex.join(run.command()) + ' "$@"\n')
    wrapper.chmod(0o755)
    (tmp_path / "here").mkdir()
    script = "".join(f"{command}\nstatus=$?; echo; echo {END} $status\n" for command, _ in steps)
    shell = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path / "here", capture_output=True, text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PATH": f"{bin_directory}:{os.environ['PATH']}"})
    parts = re.split(rf"^{END} (\d+)\n", shell.stdout, flags=re.M)
    assert len(parts) == 2 * len(steps) + 1, shell
    for (command, expected), output, status in zip(steps, parts[::2], parts[1::2]):
        assert status == "0", (command, shell)
        while expected and not expected[-1].strip():
            expected.pop()
        if expected:
            pattern = "(.|\n)*".join(map(re.escape, "\n".join(expected).split("…")))
            assert re.fullmatch(pattern, output.strip("\n")), (command, output)


@pytest.mark.parametrize("name", ["README.md", "man/sandbox-run.1"])
def test_there_are_examples(name):
    path = CHECKOUT / name
    blocks = (of_readme if name.endswith(".md") else of_man)(path.read_text("utf-8"))
    assert any(line.startswith("$ ") for lines in blocks for line in lines), name
