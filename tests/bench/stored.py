"""What `bench --scale` measures of stored jobs and of several nodes: what POST /jobs adds to POST /run in each store, what
a store costs those who do not use it, what HAProxy adds, jobs a second through each store, and through three nodes that
share a Redis beside one. All in turns, in one run; every answer is checked."""

import concurrent.futures
import contextlib
import json
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import time

import measure
from contestants import Absent
from service import Service

STORES = ("memory", "sqlite", "redis")
NODES, BATCH, CONNECTIONS, PER_ROUND, ROUNDS_PER_BATCH = 3, 60, 2, 4, 10
GOALS_P50_MS = {"memory": 0.3, "sqlite": 0.3, "redis": 1.0, "haproxy": 0.3}
GOAL_BESIDE, GOAL_NODES = 0.02, 0.9
HAPROXY = pathlib.Path(__file__).resolve().parents[2] / "src" / "deploy" / "haproxy.cfg"


class Connection:
    """One HTTP connection that is kept. Written by hand as its time is measured with the service's."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, method, path, content):
        head = (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(content)}\r\n\r\n")
        self.socket.sendall(head.encode() + content)

    def call(self, method, path, content=b""):
        """The object that is answered."""
        self.send(method, path, content)
        text, size = b"", None
        while size is None or len(text) < size:
            part = self.socket.recv(1 << 16)
            if not part:
                raise measure.Wrong(f"the service closes the connection after {text!r}")
            text += part
            end = text.find(b"\r\n\r\n")
            if size is None and end >= 0:
                length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", text[:end])
                size = end + 4 + int(length[1]) if length else 0
        if not 200 <= int(text[9:12]) < 300 or size == 0:
            raise measure.Wrong(f"{method} {path} is answered: {text[:500]!r}")
        return json.loads(text[text.index(b"\r\n\r\n") + 4:])

    def close(self):
        self.socket.close()


@contextlib.contextmanager
def connected(port, count):
    """New connections: a service closes those that rest for long."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(contextlib.closing(Connection(port))) for _ in range(count)]


def check(told, number):
    if told.get("stdout") != f"{number}\n":
        raise measure.Wrong(f"print({number}) is answered: {str(told)[:500]}")


def body(number):
    return json.dumps({"code": f"print({number})"}).encode()


def run(connection, number):
    """A job whose answer is waited for."""
    check(connection.call("POST", "/run", body(number)), number)


def submit(connection, number):
    return connection.call("POST", "/jobs", body(number))["id"]


def collect(connection, identity, number):
    told = connection.call("GET", f"/jobs/{identity}?wait=60")
    if told["state"] != "done":
        raise measure.Wrong(f"a job is {told['state']} after a minute")
    check(told["answer"], number)


def store_and_collect(connection, number):
    collect(connection, submit(connection, number), number)


# ── Programs beside the service ──────────────────────────────────────────────────────────────────

def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def program(name):
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None:
        raise Absent(f"{name} is not installed")
    return found


@contextlib.contextmanager
def started(port, *command):
    """A program that listens there, until the end of the block."""
    process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        while True:
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                break
            if process.poll() is not None:
                raise measure.Wrong(f"{command[0]} ended with {process.returncode}")
            time.sleep(.02)
        yield process
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def redis(directory):
    """The address of a Redis of our own, that writes what it is told to its disk each second."""
    port = free_port()
    directory.mkdir()
    with started(port, program("redis-server"), "--bind", "127.0.0.1", "--port", port, "--dir", directory, "--save", "",
                 "--appendonly", "yes", "--appendfsync", "everysec"):
        yield f"redis://127.0.0.1:{port}"


@contextlib.contextmanager
def haproxy(directory, port, agent):
    """The port of HAProxy with the configuration that is shipped, in front of one node."""
    front = free_port()
    text = HAPROXY.read_text(encoding="utf-8").partition("# The state of the nodes for people")[0]
    for what, instead in ((r"^    bind :443 .*", f"    bind 127.0.0.1:{front}"), (r"^    stats socket .*\n", ""),
                          (r"\bagent-port \d+", f"agent-port {agent}"), (r"^    server node[23] .*\n", ""),
                          (r"^    server node1 .*", f"    server node1 127.0.0.1:{port}")):
        text, changed = re.subn(what, instead, text, flags=re.MULTILINE)
        if changed == 0:
            raise measure.Wrong(f"{HAPROXY} has no line {what!r}")
    config = directory / "haproxy.cfg"
    config.write_text(text, encoding="utf-8")
    with started(front, program("haproxy"), "-db", "-f", config):
        yield front


# ── What is measured ─────────────────────────────────────────────────────────────────────────────

class Field:
    """All services at once: those that are not asked just now rest."""

    def __init__(self, setting, stack):
        self.setting, self.stack, self.absent, self.nodes = setting, stack, {}, []
        self.ports = {}
        directory = setting.work / "stored"
        directory.mkdir()
        agent = free_port()
        direct = self.service("direct", "--store", "none", "--agent", f"127.0.0.1:{agent}",
                              "--trusted-proxy", "127.0.0.1")
        self.service("memory", "--store", "memory")
        self.service("sqlite", "--store", f"sqlite:{directory / 'jobs.db'}")
        try:
            address = stack.enter_context(redis(directory / "redis"))
            self.service("redis", "--store", f"{address}/?prefix=one")
            self.nodes = [self.service(f"node{i}", "--store", f"{address}/?prefix=several") for i in range(NODES)]
        except Absent as error:
            self.absent["redis"] = str(error)
        try:
            self.ports["haproxy"] = stack.enter_context(haproxy(directory, direct.port, agent))
        except Absent as error:
            self.absent["haproxy"] = str(error)
        self.pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(CONNECTIONS))

    def service(self, name, *options):
        service = self.stack.enter_context(Service(self.setting, *options))
        service.warmed()
        self.ports[name] = service.port
        return service

    def stores(self):
        return [name for name in STORES if name in self.ports]

    def batch(self, name, way):
        """Jobs a second of a batch over two connections."""
        def some(which):
            connection, numbers = connections[which], range(which, BATCH, CONNECTIONS)
            if way == "run":
                for number in numbers:
                    run(connection, number)
            else:
                for number, identity in [(number, submit(connection, number)) for number in numbers]:
                    collect(connection, identity, number)
        with connected(self.ports[name], CONNECTIONS) as connections:
            began = time.monotonic()
            list(self.pool.map(some, range(CONNECTIONS)))
            return BATCH / (time.monotonic() - began)


def tries(service):
    return service.metrics()["sandbox_stored_job_tries_total"]


def in_turns(field, rounds):
    """Milliseconds of each job, one after the other; and of batches, jobs a second."""
    alone = {"direct": ("direct", run), **{name: (name, store_and_collect) for name in field.stores()},
             "beside": ("memory", run), **({"haproxy": ("haproxy", run)} if "haproxy" in field.ports else {})}
    batches = {"direct": ("direct", "run"), **{name: (name, "jobs") for name in field.stores()},
               **({"nodes": ("node0", "jobs")} if field.nodes else {})}
    times, rates = {name: [] for name in alone}, {name: [] for name in batches}
    order = list(alone)
    for at in range(rounds):
        if at % ROUNDS_PER_BATCH == 0:
            for name, (service, way) in batches.items():
                rates[name].append(field.batch(service, way))
        with contextlib.ExitStack() as stack:
            connections = {name: stack.enter_context(connected(field.ports[name], 1))[0] for name in {service for service, _ in alone.values()}}
            for connection in connections.values():
                run(connection, 0)  # not the first of its connection
            for number in range(PER_ROUND):
                order.append(order.pop(0))  # so that none follows the same other each time
                for name in order:
                    service, way = alone[name]
                    began = time.monotonic_ns()
                    way(connections[service], number)
                    times[name].append((time.monotonic_ns() - began) / 1e6)
    if any(tries(node) == 0 for node in field.nodes):
        raise measure.Wrong("one of the nodes has run no stored job: nothing is said about several")
    return times, rates


def at_share(values, share):
    return sorted(values)[round(share * (len(values) - 1))]


def goals(told):
    """(what, figure, met)"""
    for name, most in GOALS_P50_MS.items():
        if name in told["alone"]:
            added = told["alone"][name]["added_p50_ms"]
            what = "HAProxy in front" if name == "haproxy" else f"POST /jobs and GET ?wait=, {name}"
            yield f"{what}: at most +{most} ms (median)", f"{added:+.2f} ms", added <= most
    beside = told["alone"]["beside"]["added_p50_ms"] / told["alone"]["direct"]["p50_ms"]
    yield f"POST /run beside a store: within {GOAL_BESIDE:.0%} of one without", f"{beside:+.1%}", beside <= GOAL_BESIDE
    if "nodes" in told["batches"]:
        share = told["nodes_share"]
        yield f"{NODES} nodes on one machine: at least {GOAL_NODES} of one's jobs a second", f"{share:.2f}", share >= GOAL_NODES


def run_stored(setting, rounds):
    with contextlib.ExitStack() as stack:
        field = Field(setting, stack)
        times, rates = in_turns(field, rounds)
        told = {"alone": {}, "batches": {}, "absent": field.absent}
    for name, values in times.items():
        told["alone"][name] = {"min_ms": min(values), "added_min_ms": min(values) - min(times["direct"]),
                               "p50_ms": statistics.median(values), "p99_ms": at_share(values, .99),
                               # In each turn: what disturbs one disturbs the other.
                               "added_p50_ms": statistics.median(mine - direct for mine, direct
                                                                 in zip(values, times["direct"])),
                               "added_p99_ms": at_share(values, .99) - at_share(times["direct"], .99)}
    for name, values in rates.items():
        told["batches"][name] = {"median": statistics.median(values), "best": max(values)}
    if "nodes" in rates:
        told["nodes_share"] = statistics.median(
            several / one for several, one in zip(rates["nodes"], rates["redis"]))
    told["goals"] = [{"goal": what, "figure": figure, "met": met} for what, figure, met in goals(told)]
    show(told)
    return told


TITLES = {"direct": "POST /run", "memory": "POST /jobs, memory", "sqlite": "POST /jobs, SQLite",
          "redis": "POST /jobs, Redis (everysec)", "beside": "POST /run beside a store (memory)",
          "haproxy": "POST /run through HAProxy", "nodes": f"POST /jobs, {NODES} nodes on one Redis"}


def show(told):
    print(f"\n{'One job after the other, ms':44}{'least':>9}{'added':>9}{'median':>9}{'added':>9}{'99%':>9}{'added':>9}")
    for name, row in told["alone"].items():
        print(f"    {TITLES[name]:40}" + "".join(f"{row[f'{figure}_ms']:9.2f}{row[f'added_{figure}_ms']:+9.2f}"
                                                for figure in ("min", "p50", "p99")))
    print(f"\n{f'{BATCH} jobs over {CONNECTIONS} connections':44}{'median':>12}{'best':>12}")
    for name, row in told["batches"].items():
        print(f"    {TITLES[name]:40}{row['median']:10.0f}/s{row['best']:10.0f}/s")
    for name, why in told["absent"].items():
        print(f"not here: {name}: {why}")
    for goal in told["goals"]:
        print(f"    {'yes' if goal['met'] else 'NO ':4}{goal['goal']}: {goal['figure']}")
