"""A service, and what `bench --http` measures: what HTTP adds to a job and the service under load, with cold starts and
with warm ones; memory after many requests; many jobs that sleep. Every answer is checked; the goals are shown, not
enforced: machines differ."""

import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import re
import resource
import shutil
import socket
import statistics
import subprocess
import time

import measure
from contestants import Absent, rootfs_record, sandbox_environment

HERE = pathlib.Path(__file__).resolve().parent
GOAL_ADDED_MS, GOAL_THROUGHPUT, GOAL_GROWTH_KIB, GOAL_BESIDE_MS = 0.3, 0.9, 1024, 100
CLIENTS, CLIENTS_SECONDS = 64, 60
SETTLE_SECONDS = 60
STARTS = ("cold", "warm")
PRINT_1 = {"code": "print(1)"}
OFFER_DEFAULT = "--offer-default",  # to clients who ask for that policy


class Service:
    """A sandbox-serve on a free port."""

    def __init__(self, setting, *options):
        self.process = subprocess.Popen(
            [setting.build / "sandbox-serve", "--listen", "127.0.0.1:0", *options],
            env=sandbox_environment(setting), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for line in self.process.stderr:
            match = re.search(rb"listening on http://127\.0\.0\.1:(\d+)", line)
            if match:
                break
        else:
            raise measure.Wrong(f"sandbox-serve ended with {self.process.wait()}")
        self.port = match[1].decode()
        self.quiet_seconds = .3 if setting.quick else 2.5  # two looks of its upkeep
        # The log is read by somebody else, so that it is written as it would be.
        self.reader = subprocess.Popen(["cat"], stdin=self.process.stderr, stdout=subprocess.DEVNULL)

    def metrics(self):
        """The numbers of GET /metrics, by name and labels."""
        with socket.create_connection(("127.0.0.1", int(self.port))) as connection:
            connection.sendall(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n")
            text = connection.makefile("rb").read().decode()
        return {name: float(value) for name, value in re.findall(r"^(sandbox_\S+) (\S+)$", text, re.MULTILINE)}

    def run(self, **request):
        """The answer to POST /run."""
        connection = http.client.HTTPConnection("127.0.0.1", int(self.port), timeout=120)
        with contextlib.closing(connection):
            connection.request("POST", "/run", json.dumps(request), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode()
        if answer.status != 200:
            raise measure.Wrong(f"the service answers {answer.status}: {text}")
        return json.loads(text)

    def rest(self):
        """Waits until nothing runs and as many children are parked as there will be."""
        seen, since, end = None, time.monotonic(), time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < end:
            told = self.metrics()
            now = (told["sandbox_jobs_running"], told["sandbox_warm_zygotes"], told["sandbox_warm_parked"])
            if now != seen or now[0] > 0 or now[1] == 0:
                seen, since = now, time.monotonic()
            elif time.monotonic() - since > self.quiet_seconds:
                return
            time.sleep(.05)
        raise measure.Wrong(f"the service does not come to rest in {SETTLE_SECONDS} s")

    def warmed(self, **request):
        """Waits until jobs like this one start warm, with all layers, and for rest; raises Wrong when they don't."""
        end = time.monotonic() + SETTLE_SECONDS
        while (answer := self.run(**{**PRINT_1, **request}))["enforcement"]["start"] != "warm":
            if time.monotonic() > end:
                raise measure.Wrong(f"no warm start in {SETTLE_SECONDS} s: {answer}")
            time.sleep(.05)
        layers = measure.check_layers(self.run(**{**request, "code": measure.evidence()}), "a warm start")
        self.rest()
        return layers

    def ready(self, start):
        """Checks that jobs start so, with all layers."""
        if start == "warm":
            return self.warmed()
        answer = self.run(code=measure.evidence())
        if answer["enforcement"]["start"] != start:
            raise measure.Wrong(f"a {start} start was asked for: {answer}")
        return measure.check_layers(answer, f"a {start} start")

    def memory_kib(self):
        """Resident memory, of all its processes."""
        pids = [self.process.pid, *map(int, pathlib.Path(
            f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split())]
        total = 0
        for pid in pids:
            try:
                status = pathlib.Path(f"/proc/{pid}/status").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue  # a job's pid 1 is a child as well, and may have ended
            if "Name:\tsandbox-serve" in status and (match := re.search(r"^VmRSS:\s+(\d+)", status, re.MULTILINE)):
                total += int(match[1])
        return total

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.terminate()
        status = self.process.wait()
        self.reader.wait()
        self.process.stderr.close()
        if status != 0 and exception == (None, None, None):
            raise measure.Wrong(f"sandbox-serve ended with {status}")


def starting(start):
    """The service's options for that."""
    return ["--cold"] if start == "cold" else []


def compile_load(setting):
    """The C program that calls libsandbox, linked with the build's."""
    directory = setting.build / "bench"
    directory.mkdir(parents=True, exist_ok=True)
    program, library = directory / "service_load", setting.build / "src" / "core"
    subprocess.run([os.environ.get("CC", "cc"), "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra",
                    "-I", str(HERE.parents[1] / "include"), "-o", str(program), str(HERE / "service_load.c"),
                    "-L", str(library), "-lsandbox", f"-Wl,-rpath,{library}"], check=True)
    return program


def call(setting, *argv):
    ran = subprocess.run([str(word) for word in argv], env=sandbox_environment(setting), capture_output=True,
                         text=True, check=False)
    if ran.returncode != 0:
        raise measure.Wrong(f"{argv[0]}: {ran.stderr.strip()}")
    return ran.stdout


def bare_rate(setting, load, parallel, seconds):
    """Bare pythons a second, so many at once."""
    python = rootfs_record(setting.rootfs)["python"]
    return float(call(setting, load, "bare", parallel, seconds, setting.rootfs, python, "-c", "print(1)"))


# ── What HTTP adds ───────────────────────────────────────────────────────────────────────────────

def added(setting, load, start, rounds):
    """In milliseconds: medians of the library's jobs and of the service's; and what is around a job, its own wall time
    taken away, whose variation would hide what HTTP adds: the difference of the medians, and how far off that may be
    (95%, from the deviations: the median of n has 1.25 times the standard error of their mean)."""
    with Service(setting, *starting(start)) as service:
        service.ready(start)
        lines = call(setting, load, "added", start, service.port, rounds).split("\n")[:-1]
    each = [[int(word) for word in line.split()] for line in lines]
    told, around = {"rounds": len(each)}, {}
    for name, at in (("library", 0), ("http", 2)):
        told[f"{name}_ms"] = statistics.median(one[at] for one in each) / 1e6
        around[name] = [one[at] / 1e6 - one[at + 1] / 1e3 for one in each]
        told[f"around_{name}_ms"] = statistics.median(around[name])
    told["longer_ms"] = told["http_ms"] - told["library_ms"]
    told["added_ms"] = told["around_http_ms"] - told["around_library_ms"]
    # Of a normal distribution, 1.48 times the median deviation is the standard one; a few slow rounds do not count.
    variance = sum((1.48 * statistics.median(abs(one - told[f"around_{name}_ms"]) for one in values)) ** 2
                   for name, values in around.items())
    told["off_by_ms"] = 1.96 * 1.25 * (variance / len(each)) ** .5
    return told


# ── Under load ───────────────────────────────────────────────────────────────────────────────────

def wrk(port, seconds, clients=CLIENTS):
    if shutil.which("wrk") is None:
        raise Absent("wrk is not on PATH")
    said = subprocess.run(["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "60s", "-s",
                           str(HERE / "wrk.lua"), f"http://127.0.0.1:{port}/run"],
                          capture_output=True, text=True, check=True).stdout
    told = json.loads(said.strip().splitlines()[-1])
    if told["other"] or told["wrong"] or told["errors"]:
        raise measure.Wrong(f"the service under load: {told}")
    return {**told, "rate": told["ok"] / told["seconds"]}


def throughput(setting, load, seconds, clients_seconds):
    """Jobs a second: bare python; by start, the library and the service with 64 clients, as many at once in each."""
    jobs = 2 * (os.cpu_count() or 1)
    told = {"jobs": jobs, "bare": bare_rate(setting, load, jobs, seconds)}
    for start in STARTS:
        library = float(call(setting, load, "library", start, jobs, seconds))
        with Service(setting, "--jobs", str(jobs), *starting(start)) as service:
            service.ready(start)
            told[start] = {"library": library, "service": wrk(service.port, clients_seconds)}
    return told


def growth(setting, requests):
    """Resident memory after a tenth of the requests and after all of them."""
    with Service(setting) as service:
        done, seen = 0, []
        for most in (requests // 10, requests):
            while done < most:
                told = wrk(service.port, 5 if most - done > 500 else 1)
                done += told["ok"] + told["full"]
            seen.append((done, service.memory_kib()))
    (early, before), (late, after) = seen
    return {"after": early, "memory_kib": before, "then_after": late, "then_memory_kib": after}


# ── Many that sleep ──────────────────────────────────────────────────────────────────────────────

def available_kib():
    text = pathlib.Path("/proc/meminfo").read_text()
    return int(re.search(r"^MemAvailable:\s+(\d+)", text, re.MULTILINE)[1])


def sleeping(setting, jobs, seconds=5, warm=False):
    """Many jobs at once that do nothing for a while: how long all of them take, and memory for each. All of them must
    start warm if that is asked for."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    memory = 12 << 20
    limits = {"memory_bytes": memory} | ({} if warm else {"tmp_bytes": 1 << 20})  # /tmp is made before the job comes
    body = json.dumps({"code": f"import time; time.sleep({seconds}); print(1)", "policy": "default", "timeout": 600,
                       "limits": limits}).encode()
    request = (b"POST /run HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
               b"Content-Length: %d\r\n\r\n" % len(body)) + body
    with contextlib.ExitStack() as at_end:
        service = at_end.enter_context(Service(setting, "--jobs", str(jobs), "--queue", str(jobs), "--queue-time", "10m",
                                               "--memory", str(jobs * memory), *OFFER_DEFAULT))
        if warm:
            service.warmed(policy="default")
        connections = [at_end.enter_context(socket.create_connection(("127.0.0.1", int(service.port))))
                       for _ in range(jobs)]
        before = least = available_kib()
        began = time.monotonic()
        for connection in connections:
            connection.sendall(request)
        most = running(service)
        while most < jobs and time.monotonic() - began < 600:
            now = running(service)
            time.sleep(.01)
            least = min(least, available_kib())
            if now < most:  # the first have ended before the last began
                break
            most = now
        least = min(least, available_kib())
        answers = [connection.makefile("rb").read() for connection in connections]
        took = time.monotonic() - began
        wanted = [b'"stdout":"1\\n"', b'"missing":[]'] + ([b'"start":"warm"'] if warm else [])
        bad = [answer for answer in answers if not all(part in answer for part in wanted)]
        if bad:
            raise measure.Wrong(f"{len(bad)} of {jobs} sleeping jobs: {bad[0][-500:]!r}")
        return {"jobs": jobs, "sleep_seconds": seconds, "seconds": took, "at_once": most,
                "memory_a_job_kib": (before - least) / most, "service_kib": service.memory_kib()}


def running(service):
    return int(service.metrics()["sandbox_jobs_running"])


# ── Beside the largest requests ──────────────────────────────────────────────────────────────────

def numbered(count, prefix="", suffix=""):
    return {f"{prefix}{number:08}{suffix}": "" for number in range(count)}


# The largest that are allowed, of each kind.
LARGE = {
    "variables": lambda: {"env": numbered(19_800, "A" * 60)},
    "arguments": lambda: {"args": ["x" * 80] * 19_800},
    "files": lambda: {"files": numbered(9_800, "f" * 150), "limits": {"tmp_files": 20_000}},
    "deep paths": lambda: {"files": numbered(1_800, "d/" * 500), "limits": {"tmp_files": 20_000}},
    "a result": lambda: {"code": "def f(): return [0] * 1_500_000", "call": "f", "limits": {"result_bytes": 8 << 20}},
    "output": lambda: {"code": "print('\1' * 8_000_000)", "limits": {"output_bytes": 8 << 20}},
}


def beside_large(setting, rounds):
    """The longest that GET /health takes, in ms, while a request of each kind is read and answered: the worst of some
    rounds."""
    told = {}
    with Service(setting, "--jobs", "2", *OFFER_DEFAULT) as service:
        service.run(**PRINT_1)
        for kind, make in LARGE.items():
            body = {"policy": "default", "code": "pass", "limits": {}, **make()}
            body["limits"] |= {"memory_bytes": 1 << 30, "tmp_bytes": 1 << 28}
            told[kind] = max(longest_health(service, body) for _ in range(rounds))
    return told


def longest_health(service, body):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        connection = http.client.HTTPConnection("127.0.0.1", int(service.port))
        with contextlib.closing(connection):
            asked, longest = pool.submit(lambda: service.run(**body)), 0
            while not asked.done():
                began = time.monotonic()
                connection.request("GET", "/health")
                connection.getresponse().read()
                longest = max(longest, time.monotonic() - began)
                time.sleep(.0005)
    asked.result()
    return longest * 1e3


# ── The whole ────────────────────────────────────────────────────────────────────────────────────

def run(setting, quick):
    """All of it; prints as it goes, returns the figures."""
    load, report = compile_load(setting), {}
    report["bare_ms"] = bare_ms = 1e3 / bare_rate(setting, load, 1, 1 if quick else 5)
    report["added"] = {}
    for start in STARTS:
        told = report["added"][start] = added(setting, load, start, 10 if quick else 1000)
        print(f"\none job at a time, {start}, {told['rounds']} rounds in turns: library {told['library_ms']:.2f} ms, "
              f"HTTP {told['http_ms']:.2f} ms; of these around the job {told['around_library_ms']:.3f} and "
              f"{told['around_http_ms']:.3f} ms")
        show(f"HTTP adds less than {GOAL_ADDED_MS} ms around a job at the median", f"{told['added_ms']:+.3f} ms, give or "
             f"take {told['off_by_ms']:.3f} (of the whole {told['longer_ms']:+.2f})", told["added_ms"] < GOAL_ADDED_MS)
        show(f"{measure.in_proportion(bare_ms)}: less than {measure.scaled(GOAL_ADDED_MS, bare_ms):.2f} ms",
             f"{told['added_ms']:+.3f} ms", told["added_ms"] < measure.scaled(GOAL_ADDED_MS, bare_ms))

    told = report["throughput"] = throughput(setting, load, *((1, 1) if quick else (20, CLIENTS_SECONDS)))
    print(f"\n{CLIENTS} clients for {told['cold']['service']['seconds']:.0f} s, {told['jobs']} jobs at once: bare python {told['bare']:.0f}/s")
    for start in STARTS:
        library, service = told[start]["library"], told[start]["service"]
        show(f"{start}: within 10% of the library, {library:.0f}/s",
             f"{service['rate']:.0f}/s, {service['rate'] / library:.0%} (p50 {service['p50_ms']:.0f} ms, "
             f"p99 {service['p99_ms']:.0f} ms, 503: {service['full']})", service["rate"] >= GOAL_THROUGHPUT * library)

    told = report["growth"] = growth(setting, 100 if quick else 20000)
    grown = told["then_memory_kib"] - told["memory_kib"]
    show(f"memory is flat after {told['then_after']} requests",
         f"{told['memory_kib']} KiB after {told['after']}, {told['then_memory_kib']} KiB then", grown < GOAL_GROWTH_KIB)

    told = report["beside_large"] = beside_large(setting, 2 if quick else 10)
    for kind, longest_ms in told.items():
        show(f"nobody waits long beside the largest request: {kind}", f"/health within {longest_ms:.1f} ms",
             longest_ms < GOAL_BESIDE_MS)

    told = report["sleeping"] = sleeping(setting, 20 if quick else 1000)
    show(f"{told['jobs']} jobs that sleep {told['sleep_seconds']} s",
         f"all well after {told['seconds']:.1f} s; {told['at_once']} at once; {told['memory_a_job_kib']:.0f} KiB a job; "
         f"the service itself {told['service_kib']} KiB", True)
    return report


def show(goal, figure, met):
    print(f"    {'yes' if met else 'NO ':4}{goal}: {figure}", flush=True)
