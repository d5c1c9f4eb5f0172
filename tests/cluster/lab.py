"""Nodes of sandbox-serve on machines of their own, with HAProxy in front, on one host.

Each node is in a network namespace, and so is the balancer, whose bridge connects them. The addresses are those of
src/deploy/haproxy.cfg, which is used as it is shipped. The host's own network is not touched."""

import contextlib
import csv
import os
import re
import signal
import socket
import subprocess

from kernel import libc
from processes import descendants
from sandbox_run import CHECKOUT
from sandbox_serve import CLONE_NEWNET, Elsewhere, Server, command
from slow_wire import SlowWire
from stepped_clock import Clocks
from waiting import until

CONFIG = CHECKOUT / "src/deploy/haproxy.cfg"
BALANCER = "10.0.0.2"
CLIENT = "10.0.0.99"  # an address of clients, on the balancer's machine
REDIS = "10.0.0.50"
SLOW_NODE, SLOW_REDIS = "10.0.1.11", "10.0.1.50"  # the ends of the slow wire
PORT = 8000  # of all
LIMITS = {"memory_bytes": 64 << 20}  # of jobs that are held


def ip(*words):
    ran = subprocess.run(["ip", *map(str, words)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, (words, ran.stderr)


class Machine:
    """A network namespace."""

    def __init__(self, name):
        self.name = f"sandbox-{os.getpid()}-{name}"
        ip("netns", "add", self.name)
        ip("-n", self.name, "link", "set", "lo", "up")

    def ip(self, *words):
        ip("-n", self.name, *words)

    @property
    def prefix(self):
        """Of a command that is to run there. Not `ip netns exec`, which hides the cgroups."""
        return ["nsenter", f"--net=/run/netns/{self.name}"]

    @contextlib.contextmanager
    def entered(self):
        """Connections are made from there."""
        with open("/proc/thread-self/ns/net") as ours, open(f"/run/netns/{self.name}") as its:
            assert libc.setns(its.fileno(), CLONE_NEWNET) == 0
            try:
                yield
            finally:
                assert libc.setns(ours.fileno(), CLONE_NEWNET) == 0

    def remove(self):
        ip("netns", "del", self.name)


class FromLab:
    """A server that is asked from the balancer's machine."""

    def connect(self, source=None, address=None):
        with self.lab.entered():
            return super().connect(source, address)


class Node(FromLab, Server):
    def __init__(self, lab, machine, number, clock, chosen):
        self.lab, self.machine, self.number, self.clock = lab, machine, number, clock
        where = f"10.0.0.{10 + number}"
        self.command = [*machine.prefix, *command(**{
            "listen": f"{where}:{PORT}", "agent": f"{where}:8001", "insecure": True, "trusted_proxy": BALANCER, "jobs": 4,
            "cold": True, **chosen})]
        super().__init__(self.command, clock and clock.env)

    def start_again(self):
        """After its end: a new process, which has to be there before it is asked."""
        Server.__init__(self, self.command, self.clock and self.clock.env)
        return self.listening()

    def _link(self, state):
        ip("-n", self.lab.name, "link", "set", f"node{self.number}", state)

    def cut_off(self):
        """No packet comes or goes any more, and nobody is told."""
        self._link("down")

    def connect_again(self):
        self._link("up")

    def ran(self, number):
        """The verdicts of its job with that id, as its log has them."""
        return self.log.all(lambda record: record.get("id") == number and "verdict" in record)

    def has(self, held):
        """Whether a held job runs there."""
        return bool(held.pids() & descendants(self.pid))


class Balancer(FromLab, Elsewhere):
    """HAProxy with the shipped configuration."""

    def __init__(self, lab, place, count, jobs):
        super().__init__(f"http://{BALANCER}:{PORT}")
        self.lab, self.pid = lab, os.getpid()  # the nodes and their jobs are below
        self._socket = place / "admin.sock"
        text = CONFIG.read_text()
        for what, instead in ((r"^    bind :443 .*", f"    bind {BALANCER}:{PORT}"),
                              (r"/run/haproxy/admin\.sock", str(self._socket)), (r"\bmaxconn 4$", f"maxconn {jobs}")):
            text, changed = re.subn(what, instead, text, flags=re.M)
            assert changed == 1, what
        servers = re.findall(r"^    server (node\d) .*\n", text, re.M)
        assert len(servers) >= count
        for name in servers[count:]:
            text = re.sub(rf"^    server {name} .*\n", "", text, flags=re.M)
        (place / "haproxy.cfg").write_text(text)
        with open(place / "haproxy.log", "w") as log:
            self.process = subprocess.Popen([*lab.prefix, "haproxy", "-db", "-f", place / "haproxy.cfg"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def state(self):
        """name of a node → what HAProxy's statistics say of it."""
        assert self.process.poll() is None
        with socket.socket(socket.AF_UNIX) as asked:
            until(lambda: asked.connect_ex(str(self._socket)) == 0)  # there before it listens
            asked.sendall(b"show stat nodes 4 -1\n")  # 4: servers
            rows = csv.DictReader(asked.makefile("r").read().removeprefix("# ").splitlines())
            return {row["svname"]: row for row in rows}

    def queued(self):
        """How many requests wait there for a node that is free."""
        with socket.socket(socket.AF_UNIX) as asked:
            asked.connect(str(self._socket))
            asked.sendall(b"show stat nodes 2 -1\n")  # 2: back ends
            row, = csv.DictReader(asked.makefile("r").read().removeprefix("# ").splitlines())
            return int(row["qcur"])

    def knows(self, node, status, weight=None):
        """Waits until HAProxy knows that state of a node."""
        def is_known():
            row = self.state()[f"node{node.number}"]
            return row["status"] == status and (weight is None or int(row["weight"]) == weight)
        until(is_known)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def redis_user():
    """The line of an ACL that the manual gives to Redis: a user who may do what nodes do, and nothing else."""
    line, = re.findall(r"^user sandbox ((?:.*\\e\n)*.*)", (CHECKOUT / "man/sandbox-serve.8").read_text(), re.M)
    return re.sub(r"\\e\n *", "", line)


class Redis:
    """A Redis server on a machine of its own, whose user for nodes has just what the manual says."""

    def __init__(self, lab, place, machine, clock, *words):
        self.lab, self.machine, self.clock, self.place = lab, machine, clock, place / "redis"
        self.place.mkdir()
        self.password_file = self.place / "password"
        self.password_file.write_text("a-password\n")
        self.address = self.address_at(REDIS)
        user = redis_user().replace("PASSWORD", "a-password")
        (self.place / "users.acl").write_text(f"user default on nopass ~* &* +@all\nuser sandbox {user}\n")
        (self.place / "redis.conf").write_text(
            f"bind *\nprotected-mode no\ndir {self.place}\nunixsocket {self.place}/socket\naclfile {self.place}/users.acl\n"
            "appendonly yes\nappendfsync everysec\nsave \"\"\n" + "".join(f"{word}\n" for word in words))
        self.process = None

    def address_at(self, where):
        return f"redis://{where}?insecure=yes&user=sandbox&password-file={self.password_file}"

    def start(self):
        with open(self.place / "log", "a") as log:
            self.process = subprocess.Popen([*self.machine.prefix, "redis-server", self.place / "redis.conf"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, **(self.clock.env if self.clock else {})})
        until(lambda: self.process.poll() is None and self.ask("PING", check=False) == "PONG")
        return self

    def ask(self, *words, check=True):
        ran = subprocess.run(["redis-cli", "-s", self.place / "socket", *map(str, words)], capture_output=True, text=True,
                             check=False)
        assert not check or (ran.returncode == 0 and "ERR" not in ran.stdout), (words, ran)
        return ran.stdout.strip()

    def signal(self, number):
        self.process.send_signal(number)

    def cut_off(self):
        ip("-n", self.lab.name, "link", "set", "redis", "down")

    def connect_again(self):
        ip("-n", self.lab.name, "link", "set", "redis", "up")

    def kill(self):
        """SIGKILL."""
        self.process.kill()
        self.process.wait()

    def refused(self):
        """What the ACL has refused."""
        return self.ask("ACL", "LOG")

    def stop(self):
        if self.process is not None:
            self.kill()


class Cluster:
    def __init__(self, place, nodes=2, jobs=4, redis=None, clocks=False, slow=None, **chosen):
        """`chosen`: options of all nodes; `redis`: lines of its configuration, for nodes that share one; `clocks`: each
        program has a wall clock of its own, which the test may step; `slow`: what the wire between the first node and
        Redis is like."""
        self.machines, self.nodes, self.balancer, self.redis = [], [], None, None
        self.place, self.count, self.jobs, self.chosen = place, nodes, jobs, chosen
        self.redis_lines, self.clocks = redis, Clocks(place) if clocks else None
        self.slow, self.wire = slow, None

    def _plug(self, lab, name, address):
        """A machine on the bridge."""
        machine = self._machine(name)
        ip("-n", lab.name, "link", "add", name, "type", "veth", "peer", "name", "eth0", "address",
           f"02:00:{':'.join(f'{int(part):02x}' for part in address.split('.'))}", "netns", machine.name)
        ip("-n", lab.name, "link", "set", name, "master", "bridge", "up")
        ip("-n", machine.name, "addr", "add", f"{address}/24", "dev", "eth0")
        ip("-n", machine.name, "link", "set", "eth0", "up")
        return machine

    def start(self):
        lab = self._machine("lab")
        ip("-n", lab.name, "link", "add", "bridge", "type", "bridge")
        for address in (BALANCER, CLIENT):
            ip("-n", lab.name, "addr", "add", f"{address}/24", "dev", "bridge")
        ip("-n", lab.name, "link", "set", "bridge", "up")
        if self.redis_lines is not None:
            self.redis = Redis(lab, self.place, self._plug(lab, "redis", REDIS), self._clock("redis"),
                               *self.redis_lines).start()
            self.chosen = {"store": self.redis.address, **self.chosen}
        for number in range(1, self.count + 1):
            machine = self._plug(lab, f"node{number}", f"10.0.0.{10 + number}")
            chosen = {"jobs": self.jobs, **self.chosen}
            if number == 1 and self.slow is not None:
                self.wire = SlowWire([(machine, SLOW_NODE), (self.redis.machine, SLOW_REDIS)], **self.slow)
                chosen["store"] = self.redis.address_at(SLOW_REDIS)
            self.nodes.append(Node(lab, machine, number, self._clock(f"node{number}"), chosen))
        for node in self.nodes:
            node.listening()
        self.balancer = Balancer(lab, self.place, self.count, self.jobs)
        until(lambda: (self.place / "admin.sock").exists())
        for node in self.nodes:
            self.balancer.knows(node, "UP", 100)
        return self

    def lose_power(self):
        """Redis' machine is gone without a word, and starts again with the same address."""
        ip("-n", self.machines[0].name, "link", "del", "redis")
        self.redis.kill()
        self.redis.machine.remove()
        self.machines.remove(self.redis.machine)
        self.redis.machine = self._plug(self.machines[0], "redis", REDIS)

    def _machine(self, name):
        self.machines.append(Machine(name))
        return self.machines[-1]

    def _clock(self, name):
        return self.clocks and self.clocks.make(name)

    def hold(self, count=1):
        """Jobs that wait for the test, asked for through the balancer, and started one after the other."""
        return [self.balancer.hold(limits=LIMITS).started() for _ in range(count)]

    def node_of(self, held):
        return next(node for node in self.nodes if node.has(held))

    def stop(self):
        """Whatever has happened to them."""
        if self.balancer is not None:
            self.balancer.stop()
        for node in self.nodes:
            if node.process.poll() is None:
                node.signal(signal.SIGCONT)
                node.kill()
            if node.process.returncode is None or not node.process.stderr.closed:
                node.wait()
        if self.redis is not None:
            self.redis.stop()
        if self.wire is not None:
            self.wire.remove()
        for machine in self.machines:
            machine.remove()
