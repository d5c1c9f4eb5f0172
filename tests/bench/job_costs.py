"""What a job costs, for `bench --scale` and src/deploy/CAPACITY.md: CPU time of the service and of all that runs below it,
CPU time of Redis, memory of a request that waits for its turn, bytes of a stored job before and after it has run."""

import contextlib
import json
import os
import pathlib
import re
import socket
import sqlite3
import time

import measure
from contestants import Absent
from service import SETTLE_SECONDS, STARTS, Service, starting
from stored import body, collect, connected, redis, run, submit

CPU_JOBS, STORED, WAITING = 300, 500, 200
TICKS = os.sysconf("SC_CLK_TCK")
CPU_OF_STAT = slice(11, 15)  # of /proc/PID/stat, after the name: utime, stime, and those of children that have ended


def below(pid):
    """A process and all its descendants."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from below(int(child))
        yield pid


def cpu_ms(pid):
    """Of a process and all its descendants, those that have ended included."""
    ticks = 0
    for each in below(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            stat = pathlib.Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, stat[CPU_OF_STAT]))
    return ticks * 1000 / TICKS


def cpu_a_job(setting, start, jobs):
    """CPU milliseconds of a job, of everything on the service's side."""
    with Service(setting, *starting(start)) as service:
        service.ready(start)
        before = cpu_ms(service.process.pid)
        with connected(service.port, 1) as (connection,):
            for number in range(jobs):
                run(connection, number)
        if start == "warm":  # the children that come after them are part of it
            service.rest()
        return (cpu_ms(service.process.pid) - before) / jobs


def waiting_bytes(setting, count):
    """The service's memory for a small request that waits, with its connection."""
    with Service(setting, "--jobs", "1", "--queue", str(count), "--queue-time", "5m", "--cold") as service:
        service.ready("cold")
        before = service.memory_kib()
        with connected(service.port, count + 1) as connections:
            connections[0].send("POST", "/run", json.dumps({"code": "import time; time.sleep(60)"}).encode())
            while service.metrics()["sandbox_jobs_running"] == 0:
                time.sleep(.02)
            for number, connection in enumerate(connections[1:]):
                connection.send("POST", "/run", body(number))
            while service.metrics()["sandbox_queue_length"] < count:
                time.sleep(.02)
            return (service.memory_kib() - before) * 1024 / count


# ── Stored jobs ──────────────────────────────────────────────────────────────────────────────────

def redis_says(port, name):
    """A number of its INFO."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"INFO\r\nQUIT\r\n")
        said = connection.makefile("rb").read().decode()
    return float(re.search(rf"^{name}:([\d.]+)", said, re.MULTILINE)[1])


def redis_cpu_ms(port):
    return 1000 * (redis_says(port, "used_cpu_sys") + redis_says(port, "used_cpu_user"))


def sqlite_bytes(path):
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        pages, = database.execute("PRAGMA page_count").fetchone()
        free, = database.execute("PRAGMA freelist_count").fetchone()
        size, = database.execute("PRAGMA page_size").fetchone()
    return (pages - free) * size


def store_reached(connection):
    """A service begins to listen before it has reached a Redis."""
    end = time.monotonic() + SETTLE_SECONDS
    while True:
        try:
            return connection.call("GET", "/jobs")
        except measure.Wrong:
            if time.monotonic() > end:
                raise
            time.sleep(.05)


def stored_job(setting, address, size, count):
    """Bytes of a job that waits, and of one that has ended, in a store whose size is told by size()."""
    told = {"body_bytes": len(body(0))}
    with Service(setting, "--store", address, "--no-run") as service, connected(service.port, 1) as (connection,):
        store_reached(connection)
        empty = size()
        jobs = [submit(connection, number) for number in range(count)]
        told["waits_bytes"] = (size() - empty) / count
    with Service(setting, "--store", address) as service, connected(service.port, 1) as (connection,):
        store_reached(connection)
        for number, identity in enumerate(jobs):
            collect(connection, identity, number)
        told["ended_bytes"] = (size() - empty) / count
    return told


def in_redis(setting, directory, count):
    with redis(directory / "redis") as address:
        port = int(address.rpartition(":")[2])
        before = redis_cpu_ms(port)
        told = stored_job(setting, address, lambda: redis_says(port, "used_memory"), count)
        return {**told, "cpu_a_job_ms": (redis_cpu_ms(port) - before) / count}


def run_costs(setting):
    part = 20 if setting.quick else 1
    directory = setting.work / "costs"
    directory.mkdir()
    told = {"cpu_a_job_ms": {start: cpu_a_job(setting, start, CPU_JOBS // part) for start in STARTS},
            "waiting_bytes": waiting_bytes(setting, WAITING // part)}
    file = directory / "jobs.db"
    told["sqlite"] = stored_job(setting, f"sqlite:{file}", lambda: sqlite_bytes(file), STORED // part)
    try:
        told["redis"] = in_redis(setting, directory, STORED // part)
    except Absent as error:
        told["absent"] = {"redis": str(error)}
    show(told)
    return told


def show(told):
    print("\nWhat a job costs: print(1)")
    for start, spent in told["cpu_a_job_ms"].items():
        print(f"    {start + ', CPU of all on the service’s side':52}{spent:9.2f} ms")
    print(f"    {'a request that waits, memory':52}{told['waiting_bytes']:9.0f} B")
    for store, title in (("sqlite", "SQLite"), ("redis", "Redis")):
        if store in told:
            print(f"    {f'in {title}, a job that waits':52}{told[store]['waits_bytes']:9.0f} B\n"
                  f"    {f'in {title}, a job that has ended':52}{told[store]['ended_bytes']:9.0f} B")
    if "redis" in told:
        print(f"    {'CPU of Redis':52}{told['redis']['cpu_a_job_ms']:9.2f} ms")
    for name, why in told.get("absent", {}).items():
        print(f"not here: {name}: {why}")
