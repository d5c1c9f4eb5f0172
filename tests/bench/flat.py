"""What a warm service holds: the memory of what it parks, and what it has of memory, descriptors, processes, cgroups
and mounts before and after many jobs, whose first thousand should have cost what the last thousand cost."""

import json
import os
import pathlib
import re
import statistics
import subprocess
import time

import measure

PROC = pathlib.Path("/proc")
CGROUPS = pathlib.Path("/sys/fs/cgroup")
GOAL_PARKED_KIB, GOAL_DRIFT, GOAL_GROWTH_KIB = 2048, 0.10, 1024
BURSTS, BURST_SECONDS = (1, 4, 16), .5
TURNS = 20
COUNTED = ("descriptors", "processes", "cgroups", "mounts", "mount_namespaces")


# ── Processes and cgroups ────────────────────────────────────────────────────────────────────────

def children(pid):
    return [int(child) for task in PROC.glob(f"{pid}/task/*/children") for child in task.read_text().split()]


def number(text, pattern):
    """The number that the pattern's group finds, 0 without a match."""
    match = re.search(pattern, text, re.MULTILINE)
    return int(match[1]) if match else 0


def in_own_namespace(pid):
    """Whether a process is the first of a pid namespace: a job's, parked or running."""
    return bool(re.search(r"^NSpid:\t\d+\t1$", (PROC / str(pid) / "status").read_text(), re.MULTILINE))


def cgroup_directories(pid):
    """Of a process, by controller; "" is the unified hierarchy. Where it is mounted is a matter of habit."""
    found = {}
    for line in (PROC / str(pid) / "cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        for name in names.split(","):
            for base in ([CGROUPS / name] if name else [CGROUPS / "unified", CGROUPS]):
                if (base / path[1:]).is_dir() and (name or (base / "cgroup.procs").exists()):
                    found.setdefault(name, base / path[1:])
    return found


# ── A parked child ───────────────────────────────────────────────────────────────────────────────

def own_kib(pid):
    """What a parked child, by its pid 1, has of its own: private memory of its processes, and the kernel's for it. On
    cgroup v1 what the kernel charged before the child was in its cgroup, its first page tables, comes to it; some
    of them are then counted twice."""
    told = {"private_kib": 0, "page_tables_kib": 0}
    for process in (pid, *children(pid)):
        maps = (PROC / str(process) / "smaps_rollup").read_text()
        told["private_kib"] += sum(map(int, re.findall(r"^Private_\w+:\s+(\d+)", maps, re.MULTILINE)))
        told["page_tables_kib"] += number((PROC / str(process) / "status").read_text(), r"^VmPTE:\s+(\d+)")
    directories = cgroup_directories(pid)
    if "memory" in directories:
        here = directories["memory"]
        kernel = int((here / "memory.kmem.usage_in_bytes").read_text())
        shared = number((here / "memory.stat").read_text(), r"^shmem (\d+)")
        told["cgroup_kib"] = int((here / "memory.usage_in_bytes").read_text()) // 1024
        twice = told["page_tables_kib"]
    else:
        here = directories[""]
        stat = (here / "memory.stat").read_text()
        kernel, shared = number(stat, r"^kernel (\d+)"), number(stat, r"^shmem (\d+)")
        told["cgroup_kib"] = int((here / "memory.current").read_text()) // 1024
        twice = 0
    told["kernel_kib"] = kernel // 1024
    told["own_kib"] = told["private_kib"] + (kernel + shared) // 1024 + twice
    return told


def at_rest(service, look):
    """What look(service) tells; again when a process ended meanwhile: a pool that gets smaller."""
    for _ in range(5):
        service.rest()
        try:
            return look(service)
        except (FileNotFoundError, ProcessLookupError):
            continue
    raise measure.Wrong("the service does not come to rest: its processes come and go")


def parked_children(service):
    return [pid for pid in children(service.process.pid) if in_own_namespace(pid)]


def parked(service):
    """The dearest of the children that are parked, and how many there are."""
    seen = at_rest(service, lambda it: [own_kib(pid) for pid in parked_children(it)])
    if not seen:
        raise measure.Wrong("no child is parked")
    return {"children": len(seen), **max(seen, key=lambda told: told["own_kib"])}


# ── What a service has ───────────────────────────────────────────────────────────────────────────

def descendants(pid):
    return [one for child in children(pid) for one in (child, *descendants(child))]


def cgroups(service, beside):
    """How many cgroups of jobs there are that no other process holds locked: this service's, and what was left behind.
    `beside` are children of it, to see where."""
    directories = cgroup_directories(beside[0]) if beside else {}
    inodes = {}
    for owner, inode in re.findall(r"FLOCK +ADVISORY +WRITE +(\d+) \S+?:(\d+) ", (PROC / "locks").read_text()):
        inodes.setdefault(int(inode), set()).add(int(owner))
    elsewhere = set()
    for entry in directories[""].parent.iterdir() if "" in directories else ():
        if entry.is_dir() and inodes.get(entry.stat().st_ino, {service.process.pid}) != {service.process.pid}:
            elsewhere.add(entry.name)
    return sum(1 for top in {directory.parent for directory in directories.values()} for entry in top.iterdir()
               if entry.is_dir() and entry.name not in elsewhere)


def descriptors(pid):
    """Without those of our last question, which may still be open when it is answered."""
    looks = []
    for _ in range(5):
        looks.append(len(list((PROC / str(pid) / "fd").iterdir())))
        time.sleep(.02)
    return min(looks)


def resources(service):
    """Of a service of one worker that is at rest."""
    pid = service.process.pid
    beside = parked_children(service)
    zygotes = [child for child in children(pid) if child not in beside]
    return {
        "parked": len(beside),
        "resident_kib": service.memory_kib(),
        "zygotes_kib": sum(number((PROC / str(one) / "status").read_text(), r"^VmRSS:\s+(\d+)") for one in zygotes),
        "descriptors": descriptors(pid),
        "processes": len(descendants(pid)),
        "cgroups": cgroups(service, beside),
        "mounts": len((PROC / str(pid) / "mountinfo").read_text().splitlines()),
        "mount_namespaces": len({os.readlink(PROC / str(one) / "ns" / "mnt") for one in descendants(pid)}),
    }


def observe(service, load, body):
    """What a service has at rest, by how many children it then parks: that is the arrivals' doing, so there are bursts
    of several sizes before."""
    seen = {}
    for clients in BURSTS:
        call(load, "rate", service.port, clients, BURST_SECONDS, "warm", body)
        told = at_rest(service, resources)
        seen[told["parked"]] = told
    return seen


def comparable(before, after):
    """A pair from two observations, with equally many parked if there is one."""
    both = before.keys() & after.keys()
    most = max(both) if both else None
    return before[most or max(before)], after[most or max(after)]


# ── Many jobs ────────────────────────────────────────────────────────────────────────────────────

def call(load, *words):
    ran = subprocess.run([load, *map(str, words)], capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise measure.Wrong(f"http_load {words[0]}: {ran.stderr.strip()}")
    return ran.stdout


def many(service, load, jobs, request, start_fresh):
    """The figures of `jobs` jobs one after the other, and of what the service had after the first and the last part.
    The last part is done in turns with the first of a service that start_fresh() starts: minutes lie between the
    service's own first and last, in which a machine can become faster or slower by a third."""
    body, part = json.dumps(request), min(1000, jobs // 3)

    def series(one, count):
        return [int(line) / 1e6 for line in call(load, "series", one.port, count, "warm", body).split()]

    def in_turns(*services):
        taken = [[] for _ in services]
        for turn in range(TURNS):
            for one, times in zip(services, taken, strict=True):
                times += series(one, part * (turn + 1) // TURNS - part * turn // TURNS)
        return map(statistics.median, taken)

    first = statistics.median(series(service, part))
    before = observe(service, load, body)
    middle = series(service, jobs - 2 * part)
    with start_fresh() as fresh:
        last, beside = in_turns(service, fresh)
    before, after = comparable(before, observe(service, load, body))
    steps = [statistics.median(middle[at:at + part]) for at in range(0, len(middle) - part + 1, part)]
    return {"jobs": jobs, "part": part, "first_p50_ms": first, "last_p50_ms": last, "fresh_p50_ms": beside,
            "p50_ms_by_part": [first, *steps, last], "before": before, "after": after}


def goals(told):
    """(what, figure, met) for each promise."""
    before, after = told["before"], told["after"]
    drift = told["last_p50_ms"] / told["fresh_p50_ms"] - 1
    since = told["last_p50_ms"] / told["first_p50_ms"] - 1
    yield (f"job {told['jobs']} costs what the first did, within 10%", f"p50 of the last {told['part']} "
           f"{told['last_p50_ms']:.3f} ms, of the first of a fresh service, in turns, {told['fresh_p50_ms']:.3f} ms "
           f"({drift:+.1%}); of its own first, then, {told['first_p50_ms']:.3f} ms ({since:+.1%})",
           abs(drift) <= GOAL_DRIFT)
    yield ("resident memory is flat", f"service {before['resident_kib']} → {after['resident_kib']} KiB, zygotes "
           f"{before['zygotes_kib']} → {after['zygotes_kib']} KiB",
           after["resident_kib"] - before["resident_kib"] < GOAL_GROWTH_KIB)
    equal = before["parked"] == after["parked"]
    yield ("nothing is left behind", ", ".join(f"{name.replace('_', ' ')} {before[name]} → {after[name]}"
                                               for name in COUNTED) + f", with {before['parked']} parked"
           + ("" if equal else f" before and {after['parked']} after: not comparable"),
           equal and all(after[name] <= before[name] for name in COUNTED))
