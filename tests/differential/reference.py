"""The result of a program under plain python3."""

import base64
import dataclasses
import json
import os
import pathlib
import subprocess
import sys

OUTSIDE = pathlib.Path(__file__).with_name("outside.py")
HANGS_AFTER_S = 120  # a program that does not come to its end has a fault


@dataclasses.dataclass(frozen=True)
class Reference:
    stdout: bytes
    stderr: bytes
    status: int  # as subprocess has it, negative for a signal; None: it was killed at the place that it had marked


class Plain:
    """The interpreter of a root file system, with nothing around it but a chroot."""

    def __init__(self, rootfs, environment):
        self._rootfs = str(rootfs)
        self._environment = environment
        record = json.loads(pathlib.Path(rootfs, "usr/lib/sandbox-run/rootfs.json").read_text())
        self.python, self.version = record["python"], record["version"]
        self._site_directory = None

    def run(self, program):
        files = {**program.files, program.name: program.source}
        options = {
            "files": {name: base64.b64encode(content).decode() for name, content in files.items()},
            "env": {**self._environment, **program.env},
            "site": self._site() if program.lines else None,
            "until": "reached" if program.killed else None,
        }
        stderr = subprocess.STDOUT if program.merge else subprocess.PIPE
        return self._start(options, [program.name, *program.args], program.stdin, stderr)

    def _start(self, options, arguments, stdin=b"", stderr=subprocess.PIPE):
        reader, writer = os.pipe()
        namespaces = ["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child"]
        with open(reader) as report:
            try:
                done = subprocess.run(
                    [*namespaces, sys.executable, "-I", "-S", OUTSIDE, self._rootfs, str(writer), json.dumps(options),
                     self.python, *arguments],
                    input=stdin, stdout=subprocess.PIPE, stderr=stderr, pass_fds=[writer], timeout=HANGS_AFTER_S,
                    check=False)
            finally:
                os.close(writer)
            ended = report.read()
        if ended == "killed":
            return Reference(done.stdout, done.stderr or b"", None)
        assert ended.isdigit(), f"the plain run failed: {ended} {done.stderr}"
        return Reference(done.stdout, done.stderr or b"", os.waitstatus_to_exitcode(int(ended)))

    def _site(self):
        """A directory from which the interpreter takes .pth files at its start."""
        if self._site_directory is None:
            options = {"files": {}, "env": self._environment, "site": None, "until": None}
            code = "import os, site; print(next(filter(os.path.isdir, site.getsitepackages())), end='')"
            self._site_directory = self._start(options, ["-c", code]).stdout.decode()
            assert self._site_directory, "the interpreter has no directory for packages"
        return self._site_directory
