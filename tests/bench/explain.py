"""`bench --explain`: where the microseconds of a warm job go, as the kernel's tracing saw them, and what the child that
takes its place costs meanwhile. Without tracing there is less to tell: what the answers themselves say."""

import bisect
import collections
import json
import re
import shutil
import statistics
import subprocess

import flat
import measure
import tracing
from service import OFFER_DEFAULT, Service

BLOCKING = ("epoll_wait", "epoll_pwait", "epoll_pwait2", "wait4", "waitid", "exit_group", "poll", "ppoll")
LISTENING = ("epoll_wait", "epoll_pwait", "epoll_pwait2")
CALLS_SHOWN = 12
STDOUT = 1

# A job's way: (what, whose). Each part ends where the next one begins.
PARTS = (
    ("request on its way in", "service"),
    ("HTTP: read, understand, admit; limits", "service"),
    ("hand-over: the parked child wakes up", "python"),
    ("python: take the job, compile, run", "python"),
    ("python: output, what is left to do at exit", "python"),
    ("exit: memory and descriptors are given back", "python"),
    ("pid 1 learns of it", "pid 1"),
    ("pid 1: the status", "pid 1"),
    ("the service learns of it", "service"),
    ("evidence, verdict, log, HTTP: write", "service"),
    ("answer on its way out", "client"),
)


class Job:
    """One job's way through the processes. LookupError: it can't be followed."""

    def __init__(self, processes, client, service, start, stop):
        self.actors = {"client": processes[client], "service": processes[service]}
        self.client, self.service = client, service
        self.start, self.stop = start, stop
        self.python, self.handed, left = self._woken_by(processes, service, "exit_group", start, stop)
        self.actors["python"] = processes[self.python]
        self.pid1, self.passed_on, _ = self._woken_by(processes, self.python, "wait4", left.at, stop)
        self.actors["pid 1"] = processes[self.pid1]
        self.marks = self._marks(left)

    @staticmethod
    def _woken_by(processes, by, name, start, stop):
        """(Process, when, call): the first that is woken by another and then makes that system call."""
        wakes = processes[by].wakes
        for at, pid in wakes[bisect.bisect_left(wakes, (start, 0)):]:
            if at > stop:
                break
            calls = processes[pid].within(lambda call: call.name == name, start, stop)
            if calls:
                return pid, at, calls[0]
        raise LookupError

    def _marks(self, left):
        """When each of PARTS begins, and when the last one ends."""
        service, python, pid1 = (self.actors[name] for name in ("service", "python", "pid 1"))
        awake, took, reaped = (next_return(*since) for since in
                               ((service, self.start), (python, self.handed), (pid1, left.at)))
        wrote = python.within(lambda call: call.name in ("write", "writev") and call.first == STDOUT, took, left.at)
        reported = first(pid1.within(lambda call: call.name == "write", reaped, self.stop)).at
        # It may have been awake, for the next child.
        heard = first(call.end for call in service.calls if call.name in LISTENING and (call.end or 0) > reported)
        told = first(at for at, whom in service.wakes[bisect.bisect_left(service.wakes, (heard, 0)):]
                     if whom == self.client and at <= self.stop)
        return [self.start, awake, self.handed, took, wrote[0].at if wrote else left.at, left.at, self.passed_on, reaped,
                reported, heard, told, self.stop]

    def parts(self):
        """(actor, start, stop) of each of PARTS."""
        return [(self.actors[whose], *span) for (_, whose), span in
                zip(PARTS, zip(self.marks, self.marks[1:]), strict=True)]


def next_return(process, after):
    """When the first system call returns after that moment: one that may have begun before."""
    return first(call.end for call in process.calls[max(0, process.index(after) - 1):]
                 if call.end is not None and call.end > after)


def first(found):
    for one in found:
        return one
    raise LookupError


def jobs_of(processes, client, service):
    """All that can be followed from the client's request to its last byte, and how many there were."""
    calls = [call for call in processes[client].calls if call.end is not None]
    starts = [index for index, call in enumerate(calls) if call.name == "write"]
    found = []
    for index, after in zip(starts, starts[1:]):
        if after == index + 1:
            continue
        try:
            found.append(Job(processes, client, service, calls[index].at, calls[after - 1].end))
        except LookupError:
            continue
    return found, len(starts) - 1


def middle(jobs):
    """Half of them, those nearest to the median: their means add up."""
    ordered = sorted(jobs, key=lambda job: job.stop - job.start)
    return ordered[len(ordered) // 4:max(len(ordered) // 4 + 1, len(ordered) * 3 // 4)]


# ── Tables ───────────────────────────────────────────────────────────────────────────────────────

def price_list(jobs):
    rows = []
    for index, (what, whose) in enumerate(PARTS):
        spans = [job.parts()[index] for job in jobs]
        rows.append({
            "part": what, "whose": whose,
            "us": statistics.mean(stop - start for _, start, stop in spans),
            "cpu_us": statistics.mean(actor.ran(start, stop) for actor, start, stop in spans),
            "waits_us": statistics.mean(actor.waited(start, stop) for actor, start, stop in spans),
            "faults": statistics.mean(actor.faults_within(start, stop) for actor, start, stop in spans),
            "calls": statistics.mean(len(actor.within(bool, start, stop)) for actor, start, stop in spans)})
    return rows


def dearest(spans, count):
    """The system calls that took longest in [(actor's name, process, start, stop)], for one of `count` jobs."""
    total = collections.defaultdict(lambda: [0, 0])
    for name, process, start, stop in spans:
        for call in process.within(lambda call: call.name not in BLOCKING and call.end is not None, start, stop):
            entry = total[name, call.name]
            entry[0] += 1
            entry[1] += call.took - process.waited(call.at, call.end)
    rows = [{"whose": whose, "call": call, "calls": calls / count, "us": took / count}
            for (whose, call), (calls, took) in total.items()]
    return sorted(rows, key=lambda row: -row["us"])[:CALLS_SHOWN]


def children_made(processes, jobs):
    """(Job's processes made under our eyes: spans until they wait for their job) for all whose birth was traced."""
    made = []
    for job in jobs:
        pid1, python = processes[job.pid1], processes[job.python]
        zygote = processes.get(pid1.parent)
        if zygote is None or python.born is None:
            continue
        waiting = [call for call in python.calls if call.name in ("read", "recvfrom") and call.at < job.handed]
        clone = [call for call in zygote.calls if call.name == "clone3" and call.at <= pid1.born]
        if waiting and clone:
            made.append([("zygote", zygote, clone[-1].at, clone[-1].end or pid1.born),
                         ("pid 1", pid1, pid1.born, waiting[-1].at), ("python", python, python.born, waiting[-1].at)])
    return made


def making(processes, jobs):
    made = children_made(processes, jobs)
    if not made:
        return None
    return {"children": len(made),
            "us": statistics.median(spans[-1][3] - spans[0][2] for spans in made),
            "cpu_us": {spans[0]: statistics.median(one[index][1].ran(*one[index][2:]) for one in made)
                       for index, spans in enumerate(made[0])},
            "faults": {spans[0]: statistics.median(one[index][1].faults_within(*one[index][2:]) for one in made)
                       for index, spans in enumerate(made[0])},
            "calls": dearest([span for spans in made for span in spans], len(made))}


def service_beside(processes, service, jobs):
    """What the service does between two jobs: mostly for the next child."""
    gaps = [("service", processes[service], before.stop, after.start) for before, after in zip(jobs, jobs[1:])]
    return dearest(gaps, len(gaps)) if gaps else []


# ── Measuring ────────────────────────────────────────────────────────────────────────────────────

def traced(service, load, directory, request, count):
    """Processes as they were seen while a client asked `count` times; the client's pid."""
    pids = [service.process.pid, *flat.children(service.process.pid)]
    pids += [grandchild for pid in pids[1:] for grandchild in flat.children(pid)]
    with subprocess.Popen([load, "series", service.port, str(count), "warm", json.dumps(request)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as client:
        tracing.begin(directory, [*pids, client.pid])
        took, problem = client.communicate()
    text = tracing.end(directory)
    if client.returncode != 0:
        raise measure.Wrong(f"a traced job: {problem}")
    return tracing.parse(text, tracing.call_names()), client.pid, [int(line) / 1e3 for line in took.split()]


def counted(service, load, request, count):
    """What `perf stat` counts for one job, the making of the next child included; None for what it can't."""
    perf = shutil.which("perf")
    if perf is None:
        return {"instructions": None, "why": "perf is not on PATH"}
    pids = [service.process.pid, *flat.children(service.process.pid)]
    events = ("instructions", "page-faults", "task-clock", "context-switches")
    ran = subprocess.run([perf, "stat", "-x,", "-e", ",".join(events), "-p", ",".join(map(str, pids)), "--", load,
                          "series", service.port, str(count), "warm", json.dumps(request)],
                         capture_output=True, text=True, check=False)
    told = {event: re.search(rf"^([\d.]+),[^,]*,{event}(?::u)?,", ran.stderr, re.MULTILINE) for event in events}
    return {event: float(match[1]) / count if match else None for event, match in told.items()}


def less_to_tell(service, load, request, count, why):
    """What can be had without tracing: the answers' own figures."""
    walls = [service.run(**request)["usage"]["wall_time_ms"] * 1e3 for _ in range(count)]
    took = [int(line) / 1e3 for line in
            flat.call(load, "series", service.port, count, "warm", json.dumps(request)).split()]
    return {"traced": False, "why": why, "us": statistics.median(took), "job_us": statistics.median(walls)}


def run(setting, helpers, request):
    load, count = helpers["http_load"], 30 if setting.quick else 300
    with Service(setting, *(OFFER_DEFAULT if request["policy"] == "default" else ())) as service:
        service.warmed(**request)
        untraced = [int(line) / 1e3 for line in
                    flat.call(load, "series", service.port, count, "warm", json.dumps(request)).split()]
        counts = counted(service, load, request, count)
        try:
            with tracing.instance() as directory:
                tracing.prepare(directory)
                processes, client, took = traced(service, load, directory, request, count)
        except tracing.Absent as error:
            report = less_to_tell(service, load, request, count, str(error))
        else:
            report = figures(processes, client, service.process.pid, took)
    report.update(request=request, untraced_us=statistics.median(untraced), counted=counts)
    show(report)
    return report


def figures(processes, client, service, took):
    jobs, seen = jobs_of(processes, client, service)
    if len(jobs) < seen // 2 or not jobs:
        raise measure.Wrong(f"only {len(jobs)} of {seen} traced jobs could be followed: explain.py no longer knows "
                            "a job's way")
    chosen = middle(jobs)
    spans = [(whose, *part) for job in chosen for (_, whose), part in zip(PARTS, job.parts(), strict=True)]
    return {"traced": True, "jobs": len(chosen), "followed": len(jobs), "seen": seen, "us": statistics.median(took),
            "parts": price_list(chosen), "calls": dearest(spans, len(chosen)), "making": making(processes, jobs),
            "beside": service_beside(processes, service, jobs)}


# ── Report ───────────────────────────────────────────────────────────────────────────────────────

def show(report):
    counts = report["counted"]
    print(f"\na warm job: {report['untraced_us']:.0f} µs (p50)")
    if not report["traced"]:
        print(f"not traced: {report['why']}; of these the job itself {report['job_us']:.0f} µs, the rest is HTTP")
    else:
        print(f"while it is traced: {report['us']:.0f} µs; the {report['jobs']} of {report['seen']} traced jobs nearest to "
              f"that, means\n{'':46}{'whose':9}{'µs':>7}{'cpu':>7}{'waits':>7}{'faults':>8}{'calls':>7}")
        parts = report["parts"]
        together = {"part": "together", "whose": "", **{key: sum(row[key] for row in parts) for key in parts[0]
                                                        if key not in ("part", "whose")}}
        for row in (*parts, together):
            print(f"{row['part']:46}{row['whose']:9}{row['us']:7.0f}{row['cpu_us']:7.0f}{row['waits_us']:7.0f}"
                  f"{row['faults']:8.1f}{row['calls']:7.1f}")
        print("(cpu: it ran; "
              "waits: it could have run, and something else had the CPU, or it was on its way there; else it slept)")
        show_calls("the dearest system calls on that way", report["calls"])
        show_making(report)
    told = ", ".join(f"{name} {'not countable here' if counts.get(name) is None else format(counts[name], '.1f')}"
                     for name in ("instructions", "page-faults", "context-switches"))
    clock = counts.get("task-clock")
    print(f"\na job and the next child together: {told}" + (f", CPU time {clock * 1e3:.0f} µs" if clock else ""))


def show_making(report):
    made = report["making"]
    if made is None:
        return
    cpu = ", ".join(f"{whose} {us:.0f} µs and {made['faults'][whose]:.0f} faults" for whose, us in made["cpu_us"].items())
    print(f"\nthe child that takes its place: {made['us']:.0f} µs from clone until it waits; on the CPU: {cpu}")
    show_calls("of that the dearest system calls", made["calls"])
    show_calls("and between two jobs the service's own", report["beside"])


def show_calls(title, rows):
    print(f"\n{title}, µs a job without waits")
    for row in rows:
        print(f"    {row['whose']:9}{row['call']:18}{row['us']:8.1f}  in {row['calls']:.1f}")
