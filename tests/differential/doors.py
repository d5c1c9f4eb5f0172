"""The ways into the sandbox. Each runs a program, and gives two objects with the same keys: what came of it, and what
should have, by what plain python3 gave. The keys are the parts that are compared."""

import base64
import dataclasses
import json
import pathlib
import re
import shutil
import signal
import tempfile

from sandbox_run import Sandbox
from sandbox_serve import POLICIES, Server, command
from waiting import until

TIME_MS = 60000  # for what says nothing of time, on the slowest host
OPTIONS = {"wall_time_ms": "--timeout={}ms", "cpu_time_ms": "--cpu-time={}ms", "memory_bytes": "--memory={}",
           "cpus": "--cpus={}", "pids": "--pids={}", "output_bytes": "--output={}", "open_files": "--open-files={}",
           "tmp_bytes": "--tmp={}"}
STATUS = {"timeout": 124, "cpu_time": 124, "memory": 137}


def is_utf8(data):
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def has_text_input(program):
    """Whether JSON can hold what the program is given: it is text."""
    return is_utf8(program.stdin) and all(map(is_utf8, program.files.values()))


def comparable(text, program):
    """Standard error, as bytes or as str, without what is never the same: addresses, and the script's path, which is
    the name that was given in tracebacks of the sandbox's."""
    if isinstance(text, str):
        return comparable(text.encode(), program).decode()
    return re.sub(rb"\b0x[0-9a-f]{8,}", b"0x...", text).replace(f"/work/{program.name}".encode(), program.name.encode())


def visible(text, program):
    """Standard output: as it is, unless standard error is in it, too."""
    return comparable(text, program) if program.merge else text


def ended(program, reference):
    """How it ended, in the verdict's words: an exit status, the name of a signal, or the limit."""
    if program.killed:
        return program.killed
    if reference.status < 0:
        return signal.Signals(-reference.status).name
    return reference.status


def end_of(verdict):
    if verdict["verdict"] in ("timeout", "cpu_time", "memory", "output", "internal"):
        return verdict["verdict"]
    return verdict["exit_code"] if verdict["exit_code"] is not None else verdict["signal"]


# ── The command line ─────────────────────────────────────────────────────────────────────────────


@dataclasses.dataclass
class CommandLine:
    """sandbox-run [options] main.py, in the directory of main.py."""

    policies: str  # their directory
    start: str

    cgroup = Sandbox.cgroup

    def carries(self, program):
        return True

    def way(self):
        return ["--start", self.start]

    def run(self, program, directory):
        sandbox = Sandbox(directory)
        sandbox.cgroup = self.cgroup
        sandbox.script(program.source, program.name)
        for name, given in program.files.items():
            sandbox.script(given, f"given/{name}")
        options = ["--quiet", "--policy", program.policy, *self.way(), *["--merge-stderr"] * program.merge]
        options += [OPTIONS[key].format(value) for key, value in {"wall_time_ms": TIME_MS, **program.limits}.items()]
        options += [word for name, value in program.env.items() for word in ("--env", f"{name}={value}")]
        options += ["--files", "given/."] if program.files else []
        try:
            return sandbox(*options, program.name, *program.args, stdin=program.stdin, meta=True, cwd=directory,
                           env={"SANDBOX_POLICIES": self.policies})
        finally:
            sandbox.close()

    def compare(self, program, reference):
        with tempfile.TemporaryDirectory(prefix="sandbox-run-test-") as directory:
            ran = self.run(program, pathlib.Path(directory))
        assert ran.meta is not None, f"no job: {ran.stderr}"
        end = ended(program, reference)
        number = getattr(signal, str(end), None)
        status = STATUS.get(end, 128 + number if number else end)
        return ({"stdout": visible(ran.out, program), "stderr": comparable(ran.err, program),
                 "end": end_of(ran.meta), "exit status": ran.status},
                {"stdout": visible(reference.stdout, program), "stderr": comparable(reference.stderr, program),
                 "end": end, "exit status": status})


@dataclasses.dataclass
class Via(CommandLine):
    """The same through a service."""

    service: Server

    cgroup = None  # which is the service's to choose

    def carries(self, program):
        return has_text_input(program)

    def way(self):
        return ["--via", "http://{}:{}".format(*self.service.address)]


# ── HTTP ─────────────────────────────────────────────────────────────────────────────────────────


def is_json_text(program):
    """Whether JSON can hold it."""
    return program.text is not None and has_text_input(program)


@dataclasses.dataclass
class Run:
    """POST /run."""

    service: Server
    start: str

    def carries(self, program):
        return is_json_text(program)

    def body(self, program):
        return {"code": program.text, "policy": program.policy, "name": program.name, "stdin": program.stdin.decode(),
                "args": program.args, "env": program.env,
                "files": {name: content.decode() for name, content in program.files.items()},
                "limits": {"wall_time_ms": TIME_MS, **program.limits},
                **({"merge_stderr": True} if program.merge else {})}

    def run(self, body):
        while True:
            answer = self.service.post("/run", body)
            assert answer.status == 200, answer
            # A job that finds no interpreter waiting starts cold, as does one with variables that python reads at its
            # start.
            if answer.json["enforcement"]["start"] == self.start or body["env"]:
                return answer.json

    def compare(self, program, reference):
        body, end = self.body(program), ended(program, reference)
        stdout = visible(reference.stdout, program)
        expected = {"stderr": comparable(reference.stderr, program), "end": end, "stdout": stdout,
                    "status": "success" if end == 0 else "error"}
        if not is_utf8(reference.stdout + reference.stderr):
            answer = self.run({**body, "base64": True})
            texts = {stream: base64.b64decode(answer[stream]) for stream in ("stdout", "stderr")}
        else:
            answer = self.run(body)
            texts = {stream: answer[stream].encode() for stream in ("stdout", "stderr")}
            expected["output"] = stdout.decode().removesuffix("\n")
        got = {"stdout": visible(texts["stdout"], program), "stderr": comparable(texts["stderr"], program),
               "output": visible(answer["output"], program), "end": end_of(answer), "status": answer["status"]}
        return {key: got[key] for key in expected}, expected


@dataclasses.dataclass
class Contract:
    """A door that takes code alone, and answers with the output, and with an error where there is one."""

    service: Server
    path: str
    more: dict = dataclasses.field(default_factory=dict)

    def carries(self, program):
        alone = not (program.stdin or program.args or program.env or program.files or program.limits or program.merge)
        return is_json_text(program) and alone and program.name == "main.py" and program.policy == "default"

    def compare(self, program, reference):
        answer = self.service.post(self.path, {"code": program.text, **self.more})
        assert answer.status == 200, answer
        end, stderr = ended(program, reference), reference.stderr.decode("utf-8", "replace")
        expected = {"output": reference.stdout.decode("utf-8", "replace").removesuffix("\n"), "failed": end != 0}
        got = {"output": answer.json["output"], "failed": bool(answer.json.get("error"))}
        if isinstance(end, int) and end != 0 and stderr.strip():
            expected["error"] = comparable(stderr, program).removesuffix("\n")
            got["error"] = comparable(answer.json["error"], program).removesuffix("\n")
        if "stderr" in answer.json:
            expected["stderr"] = comparable(stderr, program)
            got["stderr"] = comparable(answer.json["stderr"], program)
        return got, expected


def open_doors(policies=None, warm=None, cold=None):
    """name → door. `policies` is a directory, `warm` and `cold` are services."""
    return {
        "cold": CommandLine(policies, "cold"),
        "warm": CommandLine(policies, "warm"),
        "via": Via(policies, "warm", warm),
        "run": Run(warm, "warm"),
        "run-cold": Run(cold, "cold"),
        "run_code": Contract(warm, "/run_code"),
        "execute": Contract(warm, "/execute", {"timeout": TIME_MS // 1000}),
    }


def doors_of(program, doors):
    """The names of the doors that a program goes through. A zygote for each run of the command line takes a third of a
    second: the service's ones stand for that, except for the programs that ask for it."""
    wanted = program.doors or [name for name in doors if name != "warm"] + program.also
    return [name for name in wanted if doors[name].carries(program)]


def make_policies(directory):
    """Those that come with the service, and "block", the default one with output as python3 buffers it."""
    shutil.copytree(POLICIES, directory)
    policy = json.loads((POLICIES / "default.json").read_text())
    (directory / "block.json").write_text(json.dumps({**policy, "output_buffering": "block"}))
    return str(directory)


def start_services(policies):
    """The two services: one that keeps interpreters ready and one that does not."""
    warm = Server(command(jobs=4, policies=policies)).listening()
    cold = Server(command(jobs=4, policies=policies, cold=True)).listening()
    for policy in ("default", "block", "run_code", "execute"):
        until(lambda: warm.run("pass", policy=policy)["enforcement"]["start"] == "warm")
    return warm, cold
