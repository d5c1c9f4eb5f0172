"""How the benchmark measures: the helpers in C, the figures made of their lines, and what is asked of
sandbox-run beside its speed: are all layers there, when does it clone, how big does it get."""

import os
import pathlib
import re
import shutil
import statistics
import subprocess
import time

from contestants import EXPECTED, sandbox_environment

HERE = pathlib.Path(__file__).resolve().parent
HELPERS = {"spawn_time": ("contestant", "http_client"), "spawn_rate": ("contestant", "http_client"),
           "http_load": ("http_client",), "floor": (), "before_clone": ()}  # and what they are made of, too
REFERENCE_BARE_MS = 8.8  # bare python on the machine for which goals in milliseconds were set
NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")


class Wrong(Exception):
    """A contestant gave another answer than all the others: nothing measured here counts."""


def compile_helpers(directory):
    """Statically, so that starting them costs as little as it can; only when a source is newer."""
    directory.mkdir(parents=True, exist_ok=True)
    made = {}
    for name, parts in HELPERS.items():
        sources, program = [HERE / f"{part}.c" for part in (name, *parts)], directory / name
        newest = max(file.stat().st_mtime for file in (*sources, *HERE.glob("*.h")))
        if not program.exists() or program.stat().st_mtime < newest:
            fresh = program.with_suffix(f".{os.getpid()}")  # several may do this at once
            subprocess.run([os.environ.get("CC", "cc"), "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-Wall",
                            "-Wextra", "-static", "-o", fresh, *sources], check=True)
            fresh.rename(program)
        made[name] = str(program)
    return made


def scaled(goal_ms, bare_ms):
    """What a goal comes to on a machine on which bare python takes so long."""
    return goal_ms * bare_ms / REFERENCE_BARE_MS


def in_proportion(bare_ms):
    return f"in proportion, where bare python takes {bare_ms:.1f} ms instead of {REFERENCE_BARE_MS}"


# ── Rounds ───────────────────────────────────────────────────────────────────────────────────────

def fields(contestant):
    env = [f"{key}={value}" for key, value in contestant.env.items()]
    return [contestant.name, contestant.chroot, contestant.mount_ns, contestant.file, contestant.port,
            str(len(env)), *env, str(len(contestant.argv)), *contestant.argv]


def wrong_answer(contestant, status, stdout):
    """What is wrong with an answer, or None."""
    if contestant.port:
        problem = "the HTTP status is not 200" if status != 0 else contestant.wrong(stdout)
        return problem and f"{problem}: {stdout.decode(errors='replace')}"
    if status == 0 and stdout == EXPECTED[contestant.program]:
        return None
    if status == -1:
        return "had to be killed"
    ended = (f"exit status {os.waitstatus_to_exitcode(status)}" if os.WIFEXITED(status)
             else f"signal {os.WTERMSIG(status)}")
    return f"{ended}, stdout {stdout[:200]!r}, wanted {EXPECTED[contestant.program]!r} and 0"


def rounds(spawn_time, contestants, count, idle_ms=0, seed=1):
    """Starts all contestants `count` times in turns. Yields (contestant, wall_ns, cpu_us, faults); raises
    Wrong with the first answer that is not as expected."""
    spoken = b"".join(field.encode() + b"\0" for c in contestants for field in fields(c))
    with subprocess.Popen([spawn_time, str(count), str(idle_ms), str(seed)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        process.stdin.write(spoken)
        process.stdin.close()
        try:
            for line in process.stdout:
                index, wall, status, cpu, _, faults, out, err = line.split()
                contestant = contestants[int(index)]
                problem = wrong_answer(contestant, int(status), bytes.fromhex(out[1:].decode()))
                if problem:
                    said = bytes.fromhex(err[1:].decode()).decode(errors="replace").strip()
                    raise Wrong(f"{contestant.name} ({contestant.program}): {problem}; stderr: {said}")
                yield contestant, int(wall), int(cpu), int(faults)
        except Wrong:
            process.kill()
            raise
    if process.returncode != 0:
        raise RuntimeError(f"spawn_time ended with {process.returncode}")


def works(spawn_time, contestant):
    """None when the contestant gives the right answer once; the reason otherwise."""
    try:
        list(rounds(spawn_time, [contestant], 1))
    except Wrong as error:
        return str(error)
    return None


# ── Figures ──────────────────────────────────────────────────────────────────────────────────────

def percentile(ordered, share):
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def figures(samples):
    """Statistics in milliseconds of one contestant's [(wall_ns, cpu_us, faults)]."""
    wall = sorted(sample[0] / 1e6 for sample in samples)
    return {"runs": len(wall), "min_ms": wall[0], "p5_ms": percentile(wall, .05),
            "median_ms": statistics.median(wall), "p95_ms": percentile(wall, .95),
            "cpu_ms": statistics.median(sample[1] / 1e3 for sample in samples),
            "faults": int(statistics.median(sample[2] for sample in samples))}


def measure(spawn_time, contestants, count, idle_ms):
    """A list of result rows, with the differences to the contestant that is called "bare". A difference is the median
    of the differences of the rounds: what slows a whole round down is in both and goes out."""
    samples = {id(contestant): [] for contestant in contestants}
    for contestant, *sample in rounds(spawn_time, contestants, count, idle_ms):
        samples[id(contestant)].append(sample)
    base = next((c for c in contestants if c.name == "bare"), None)
    rows = []
    for contestant in contestants:
        mine = samples[id(contestant)]
        row = {"name": contestant.name, "program": contestant.program,
               "mode": "after-idle" if idle_ms else "back-to-back",
               "enforces": contestant.enforces, **figures(mine)}
        if base is not None:
            theirs = samples[id(base)]
            row["over_bare_ms"] = statistics.median(
                (a[0] - b[0]) / 1e6 for a, b in zip(mine, theirs, strict=True))
            row["over_bare_min_ms"] = row["min_ms"] - min(b[0] for b in theirs) / 1e6
        rows.append(row)
    return rows


def cpu_waiting():
    """A function that tells in which share of the time since now some task waited for a CPU (PSI; None without
    it): how much the figures can be believed."""
    def total_us():
        text = pathlib.Path("/proc/pressure/cpu").read_text(encoding="utf-8")
        return int(re.search(r"some .*total=(\d+)", text)[1])

    try:
        waited_us, began = total_us(), time.monotonic()
    except OSError:
        return lambda: None
    return lambda: (total_us() - waited_us) / 1e6 / (time.monotonic() - began)


def cpu_stolen():
    """A function that tells which share of the CPU time that was wanted since now went to others on the same host,
    beneath this virtual machine (proc_stat(5), steal). None where nothing was wanted."""
    def ticks():
        first = pathlib.Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, first[1:9])
        return steal, user + nice + system + irq + softirq + steal

    before = ticks()

    def share():
        stolen, wanted = (now - then for now, then in zip(ticks(), before))
        return stolen / wanted if wanted else None

    return share


def disturbances():
    """A function that tells what kept this machine from measuring since now, for a report."""
    waiting, stolen = cpu_waiting(), cpu_stolen()
    return lambda: {"cpu_waiting": waiting(), "cpu_stolen": stolen()}


# ── sandbox-run itself ───────────────────────────────────────────────────────────────────────────

EVIDENCE = """
import os
for line in open("/proc/self/status"):
    if line.startswith(("Seccomp:", "NoNewPrivs:", "Cap")):
        print(line.strip().replace("\\t", " "))
for kind in %r:
    print("ns", kind, os.readlink("/proc/self/ns/" + kind))
print("ids", os.getuid(), os.getgid(), os.getgroups())
print("pid1", os.getpid() != 1)
"""


def sandbox_call(setting, *options, **more):
    return subprocess.run([str(setting.sandbox_run), *options], env=sandbox_environment(setting),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **more)


def verify_layers(setting, parse):
    """Raises Wrong unless everything that sandbox-run promises is enforced in a run like those measured."""
    answer = sandbox_call(setting, "--json", "-c", evidence())
    try:
        verdict = parse(answer.stdout)
    except ValueError as error:
        raise Wrong(f"sandbox-run --json: {error}; stderr: {answer.stderr.strip()}") from error
    return check_layers(verdict, "sandbox-run")


def evidence():
    """The code of a job that says what it sees of its own isolation."""
    return EVIDENCE % (NAMESPACES,)


def check_layers(verdict, name):
    """Raises Wrong unless a verdict on evidence() says that every layer was there."""
    enforcement, seen = verdict["enforcement"], (verdict["stdout"] or "").splitlines()
    wanted = ["Seccomp: 2", "NoNewPrivs: 1", "ids 1000 1000 []", "pid1 True"]
    wanted += [f"Cap{kind}: 0000000000000000" for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")]
    problems = [f"no line {line!r}" for line in wanted if line not in seen]
    for kind in NAMESPACES:
        inside = [line for line in seen if line.startswith(f"ns {kind} ")]
        if len(inside) != 1 or inside[0].endswith(os.readlink(f"/proc/self/ns/{kind}")):
            problems.append(f"{kind} namespace is not its own")
    if verdict["verdict"] != "ok":
        problems.append(f"verdict {verdict['verdict']}: {verdict.get('error')}")
    if enforcement["cgroup"] == "none":
        problems.append("no cgroup")
    if enforcement["missing"]:
        problems.append(f"missing {enforcement['missing']}")
    if problems:
        raise Wrong(f"{name} does not enforce everything: " + "; ".join(problems))
    return {"cgroup": enforcement["cgroup"], "evidence": seen}


def before_clone_us(setting, helper, count):
    """Microseconds from exec to the first clone, and of these the libc's own start (the floor has nothing else)."""
    def median(*argv):
        return statistics.median(
            int(subprocess.run([helper, *argv], env=sandbox_environment(setting), check=True,
                               capture_output=True).stdout) for _ in range(count))

    return {"sandbox_run": median(str(setting.sandbox_run), "-c", "print(1)"),
            "floor": median(setting.floor, setting.rootfs, *setting.commands["python"])}


def supervisor_memory_kib(setting):
    """Peak memory of sandbox-run, taken while its job is running."""
    waiting = "import sys; print(1, flush=True); sys.stdin.read()"
    with subprocess.Popen([str(setting.sandbox_run), "-c", waiting], env=sandbox_environment(setting),
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        if process.stdout.readline() != b"1\n":
            raise Wrong("sandbox-run did not stream its job's first line")
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
        process.stdin.close()
    return {key: int(re.search(rf"^{key}:\s+(\d+)", status, re.MULTILINE)[1])
            for key in ("VmHWM", "RssAnon", "RssFile")}


def instructions(setting):
    """Instructions of one run with all its children as `perf stat` counts them; None where it can't."""
    perf = shutil.which("perf")
    if perf is None:
        return None
    said = subprocess.run([perf, "stat", "-x,", "-e", "instructions", "--", str(setting.sandbox_run),
                           "-c", "print(1)"], env=sandbox_environment(setting), capture_output=True,
                          text=True, check=False).stderr
    match = re.search(r"^(\d+),[^,]*,instructions", said, re.MULTILINE)
    return int(match[1]) if match else None
