"""What `bench --warm` measures of warm starts: latency and throughput beside bare python and the peers, a job that
imports what its policy preloads, the memory of what is parked, and whether the cost stays flat. Every answer is
checked: it must be right, of a warm start, and by a job that had every layer."""

import contextlib
import dataclasses
import json
import os
import random
import shutil
import statistics
import subprocess

import flat
import measure
from contestants import Contestant, EXPECTED, PYTHON, rootfs_record
from service import PRINT_1, Service, show, sleeping

WARM = "warm POST /run"
GOAL_P50, GOAL_P99, GOAL_BARE_RATE, GOAL_PEER_RATE, GOAL_DATA = 0.10, 0.35, 4, 6, 0.02
NO_PEERS = ("bare", "floor", "sandbox-run", WARM)
IMPORTS = "import numpy, pandas, matplotlib; print(1)"


# ── The service ──────────────────────────────────────────────────────────────────────────────────

def wrong_answer(text):
    """What is wrong with the answer to a request that prints 1, or None."""
    try:
        answer = json.loads(text)
    except ValueError as error:
        return f"no JSON: {error}"
    if answer["verdict"] != "ok" or answer["stdout"] != EXPECTED[PYTHON].decode():
        return "the answer is wrong"
    if answer["enforcement"]["start"] != "warm":
        return "the start is not warm"
    if answer["enforcement"]["cgroup"] == "none" or answer["enforcement"]["missing"]:
        return "a layer is missing"
    return None


def contestant(service, **request):
    return Contestant(WARM, PYTHON, [json.dumps({**PRINT_1, **request})], "all: cgroup, filter, …",
                      port=service.port, wrong=wrong_answer, env={}, ours=True)


def only_run(setting):
    """Options for a service that has a zygote for POST /run alone: the zygotes of several services side by side may
    want more memory to lock than a host gives (RLIMIT_MEMLOCK, often 8 MiB), and those that get none are slower."""
    directory = setting.work / "only-run"
    if not directory.exists():
        shutil.copytree(setting.build / "policies", directory)
        for path in directory.glob("*.json"):
            if path.name != "run.json":
                path.write_text(json.dumps({**json.loads(path.read_text()), "start": "cold", "preload": []}))
    return "--policies", str(directory)


# ── Latency ──────────────────────────────────────────────────────────────────────────────────────

def figures(wall_ns):
    wall = sorted(ns / 1e6 for ns in wall_ns)
    return {"runs": len(wall), "min_ms": wall[0], "p50_ms": statistics.median(wall),
            "p95_ms": measure.percentile(wall, .95), "p99_ms": measure.percentile(wall, .99)}


def take_turns(spawn_time, taking_part, rounds):
    """A row for each contestant; the first is what all are compared to."""
    samples = {id(one): [] for one in taking_part}
    for one, wall, *_ in measure.rounds(spawn_time, taking_part, rounds):
        samples[id(one)].append(wall)
    rows = [{"name": one.name, "enforces": one.enforces, **figures(samples[id(one)])} for one in taking_part]
    for row in rows:
        row["p50_of_bare"] = row["p50_ms"] / rows[0]["p50_ms"]
        row["p99_of_bare"] = row["p99_ms"] / rows[0]["p50_ms"]
    return rows


def show_rows(title, rows):
    print(f"\n{title}, {rows[0]['runs']} rounds in turns, ms\n{'':20}{'min':>9}{'p50':>9}{'p95':>9}{'p99':>9}"
          f"{'× bare':>9}  enforces")
    for row in rows:
        print(f"{row['name']:20}{row['min_ms']:9.3f}{row['p50_ms']:9.3f}{row['p95_ms']:9.3f}{row['p99_ms']:9.3f}"
              f"{row['p50_of_bare']:9.3f}  {row['enforces']}")


def latency(setting, helpers, taking_part, rounds):
    with Service(setting) as service:
        layers = service.warmed()
        rows = take_turns(helpers["spawn_time"], [*taking_part, contestant(service)], rounds)
    return {"layers": layers, "rows": rows}


# ── Throughput ───────────────────────────────────────────────────────────────────────────────────

def spawn_rate(helpers, one, parallel, seconds):
    spoken = b"".join(field.encode() + b"\0" for field in measure.fields(one))
    ran = subprocess.run([helpers["spawn_rate"], str(parallel), str(seconds), EXPECTED[PYTHON].decode().strip()],
                         input=spoken, capture_output=True, check=False)
    if ran.returncode != 0:
        raise measure.Wrong(f"{one.name}, {parallel} at once: {ran.stderr.decode(errors='replace')}")
    return {"rate": float(ran.stdout)}


def http_rate(helpers, service, clients, seconds):
    ran = subprocess.run([helpers["http_load"], "rate", service.port, str(clients), str(seconds), "warm",
                          json.dumps(PRINT_1)], capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise measure.Wrong(f"{WARM}, {clients} clients: {ran.stderr}")
    rate, p50, p99 = map(float, ran.stdout.split())
    return {"rate": rate, "p50_ms": p50 / 1e6, "p99_ms": p99 / 1e6}


def throughput(setting, helpers, taking_part, seconds, turns):
    """Runs a second, each contestant with as many at once as give it the most: the median of the turns."""
    cores = os.cpu_count() or 1
    with contextlib.ExitStack() as at_end:
        tries = [(one.name, {"at_once": parallel}, spawn_rate, (one, parallel))
                 for one in taking_part for parallel in ((cores,) if setting.quick else (cores, 2 * cores))]
        for workers in sorted({1, cores}) if not setting.quick else [1]:
            service = at_end.enter_context(Service(setting, *only_run(setting), "--workers", str(workers)))
            service.warmed()
            tries += [(WARM, {"at_once": clients, "workers": workers}, http_rate, (service, clients))
                      for clients in sorted({cores, 2 * cores, 4 * cores, 8 * cores})]
        told, order = [[] for _ in tries], random.Random(1)
        for _ in range(turns):
            for index in order.sample(range(len(tries)), len(tries)):
                _, _, measured, arguments = tries[index]
                told[index].append(measured(helpers, *arguments, seconds))
    rows = {}
    for (name, how, *_), results in zip(tries, told, strict=True):
        row = {"name": name, **how, **{key: statistics.median(one[key] for one in results) for key in results[0]},
               "turns": [one["rate"] for one in results]}
        if name not in rows or rows[name]["rate"] < row["rate"]:
            rows[name] = row
    return list(rows.values())


def show_throughput(rows):
    print("\nruns a second on all cores, with as many at once as give the most")
    for row in rows:
        line = f"{row['name']:20}{row['rate']:9.1f}   {row['at_once']} at once"
        if "workers" in row:
            line += (f", {row['workers']} worker{'s' if row['workers'] > 1 else ''}: p50 {row['p50_ms']:.2f} ms, "
                     f"p99 {row['p99_ms']:.2f} ms")
        print(line)


# ── Imports ──────────────────────────────────────────────────────────────────────────────────────

def tmp_of_its_own(setting, rootfs):
    """A mount namespace in which the root file system is read-only and has a /tmp: what matplotlib writes there at
    its import stays out of it. Returns its path; setting.undo ends it."""
    script = """mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"; mount -t tmpfs none "$1/tmp"
        echo ready
        exec cat >&2"""  # until the harness closes its end, or dies
    holder = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sh", "-ec", script, "sh", rootfs],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    setting.undo.append(lambda: (holder.stdin.close(), holder.stdout.close(), holder.wait()))
    if holder.stdout.readline() != b"ready\n":
        raise measure.Wrong("no mount namespace of its own")
    return f"/proc/{holder.pid}/ns/mnt"


def data(setting, helpers, rootfs, rounds):
    """A job that imports what the policy "data" preloads, against a bare python that imports it."""
    inside = dataclasses.replace(setting, rootfs=rootfs)
    bare = Contestant("bare", PYTHON, [rootfs_record(rootfs)["python"], "-I", "-c", IMPORTS], "chroot only",
                      chroot=rootfs, mount_ns=tmp_of_its_own(setting, rootfs), ours=True)
    bare.env.update(MPLCONFIGDIR="/tmp", OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    with Service(inside) as service:
        service.warmed(policy="data")
        rows = take_turns(helpers["spawn_time"], [bare, contestant(service, code=IMPORTS, policy="data")], rounds)
        return {"rows": rows, "parked": flat.parked(service)}


# ── The whole ────────────────────────────────────────────────────────────────────────────────────

class Report(dict):
    """The figures, and what was promised of them."""

    def goal(self, what, figure, met):
        show(what, figure, met)
        self.setdefault("goals", []).append({"goal": what, "figure": figure, "met": met})


def measure_latency(report, setting, helpers, taking_part, chosen):
    told = report["latency"] = latency(setting, helpers, taking_part, chosen.rounds)
    show_rows("print(1)", told["rows"])
    mine = told["rows"][-1]
    report.goal(f"p50 at most {GOAL_P50:.2f} × bare", f"{mine['p50_of_bare']:.3f} ×", mine["p50_of_bare"] <= GOAL_P50)
    report.goal(f"p99 at most {GOAL_P99:.2f} × the p50 of bare", f"{mine['p99_of_bare']:.3f} ×",
                mine["p99_of_bare"] <= GOAL_P99)


def measure_throughput(report, setting, helpers, taking_part, chosen):
    seconds, turns = (.5, 1) if chosen.quick else (2, 5)
    rows = report["throughput"] = throughput(setting, helpers, taking_part, seconds, turns)
    show_throughput(rows)
    rates = {row["name"]: row["rate"] for row in rows}
    report.goal(f"at least {GOAL_BARE_RATE} × bare", f"{rates[WARM] / rates['bare']:.2f} ×",
                rates[WARM] >= GOAL_BARE_RATE * rates["bare"])
    peers = {name: rate for name, rate in rates.items() if name not in NO_PEERS}
    if peers:
        fastest = max(peers, key=peers.get)
        report.goal(f"at least {GOAL_PEER_RATE} × the fastest peer", f"{rates[WARM] / peers[fastest]:.2f} × {fastest}",
                    rates[WARM] >= GOAL_PEER_RATE * peers[fastest])


def measure_data(report, setting, helpers, chosen):
    rootfs = os.environ.get("SANDBOX_ROOTFS_DATA")
    if not rootfs:
        report["absent"]["data"] = "SANDBOX_ROOTFS_DATA names no root file system with numpy, pandas and matplotlib"
        return
    told = report["data"] = data(setting, helpers, os.path.realpath(rootfs), min(chosen.rounds, 50))
    show_rows(IMPORTS, told["rows"])
    share = told["rows"][-1]["p50_of_bare"]
    report.goal(f"p50 at most {GOAL_DATA:.2f} × bare", f"{share:.4f} ×", share <= GOAL_DATA)


def measure_memory(report, setting, chosen):
    with Service(setting) as service:
        service.warmed()
        told = report["parked"] = flat.parked(service)
    print()
    report.goal("a parked child has at most 2 MiB of its own", f"{told['own_kib']} KiB: private {told['private_kib']}, "
                f"page tables {told['page_tables_kib']}, kernel {told['kernel_kib']}; its cgroup counts "
                f"{told['cgroup_kib']}", told["own_kib"] <= flat.GOAL_PARKED_KIB)
    jobs = 20 if chosen.quick else 1000
    told = report["sleeping"] = sleeping(setting, jobs, 2 if chosen.quick else 20, warm=True)
    report.goal(f"{jobs} jobs run at once", f"{told['at_once']} at once, all well after {told['seconds']:.1f} s; "
                f"{told['memory_a_job_kib']:.0f} KiB a job", told["at_once"] == jobs)


def measure_flat(report, setting, helpers, chosen):
    @contextlib.contextmanager
    def warmed_service():
        with Service(setting, *only_run(setting)) as service:
            service.warmed()
            yield service

    with warmed_service() as service:
        told = report["flat"] = flat.many(service, helpers["http_load"], chosen.jobs, PRINT_1, warmed_service)
    print()
    for goal in flat.goals(told):
        report.goal(*goal)


PARTS = ("latency", "throughput", "data", "memory", "flat")


def run(setting, helpers, taking_part, absent, chosen):
    """All of it, or the parts that were chosen; prints as it goes, returns the figures."""
    report = Report(absent=absent)
    run_part = {
        "latency": lambda: measure_latency(report, setting, helpers, taking_part, chosen),
        "throughput": lambda: measure_throughput(report, setting, helpers, taking_part, chosen),
        "data": lambda: measure_data(report, setting, helpers, chosen),
        "memory": lambda: measure_memory(report, setting, chosen),
        "flat": lambda: measure_flat(report, setting, helpers, chosen),
    }
    for part in PARTS:
        if part in (chosen.part or PARTS):
            run_part[part]()
    return report
