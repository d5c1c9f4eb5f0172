"""What `bench --rich` measures of bytes: how fast 10 MiB come into a job and out of it, what the service's memory grows by
meanwhile, and what many uploads at once do to it. Every answer is checked."""

import base64
import concurrent.futures
import contextlib
import hashlib
import json
import os
import pathlib
import re
import socket
import statistics
import tempfile
import time

import measure
from service import Service

MIB = 1 << 20
GOAL_MB_S, GOAL_COPIES = 300, 1.0
UPLOAD_MEMORY_MIB, UPLOADS = 256, 200  # on the disk bodies may take 16 times this memory
POLICY = "execute"  # with room for 10 MiB in /work
TEXT = b"the quick brown fox jumps over the lazy dog; 0123456789 {}[]<>!? " * 2
WRITE = {"text": f"open('x', 'wb').write(({TEXT!r} * %d)[:%d])", "base64": "open('x', 'wb').write(bytes(range(256)) * (%d // 256))"}
DIGEST = "import hashlib; print(hashlib.sha256(open('x', 'rb').read()).hexdigest())"


def request(body, kind):
    return (f"POST /run HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def in_json(code, file, **more):
    return request(json.dumps({"code": code, "policy": POLICY, **({"files": {"x": file}} if file else {}), **more}).encode(),
                   "application/json")


def in_form(code, data):
    parts = (("name=code", code.encode()), ("name=policy", POLICY.encode()), ("name=f; filename=x", data))
    body = b"".join(b"--b\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (head.encode(), part) for head, part in parts)
    return request(body + b"--b--\r\n", "multipart/form-data; boundary=b")


def ask(connection, text):
    """Sends a whole request; the answer's body."""
    connection.sendall(text)
    got = bytearray(connection.recv(1 << 16))
    while b"\r\n\r\n" not in got:
        got += connection.recv(1 << 16)
    head, _, _ = bytes(got).partition(b"\r\n\r\n")
    size = int(re.search(rb"Content-Length: (\d+)", head)[1])
    body, have = bytearray(size), len(got) - len(head) - 4
    body[:have] = got[len(head) + 4:]
    view = memoryview(body)
    while have < size:
        more = connection.recv_into(view[have:])
        if more == 0:
            raise measure.Wrong(f"the service closes the connection {size - have} bytes before the end of its answer")
        have += more
    if not head.startswith(b"HTTP/1.1 200"):
        raise measure.Wrong(f"the service answers {head.splitlines()[0]!r}: {bytes(body[:300])!r}")
    return body


def text_of(size):
    return (TEXT * (size // len(TEXT) + 1))[:size]


def ways(size):
    """Of each way: (its request, that of the job which neither takes nor gives, what to check in the answer)."""
    text, data = text_of(size), bytes(range(256)) * (size // 256)
    idle = in_json("pass", None)
    made = {"in, text": (in_json("pass", text.decode()), idle), "in, form": (in_form("pass", data), idle),
            "in, base64": (in_json("pass", {"base64": base64.b64encode(data).decode()}), idle)}
    for kind, code in (("text", WRITE["text"] % (size // len(TEXT) + 1, size)), ("base64", WRITE["base64"] % size)):
        made[f"out, {kind}"] = in_json(code, None, collect=["x"]), in_json(code, None)
    return made


def verify(connection, size):
    """All of the bytes come in, and out, as they are."""
    text, data = text_of(size), bytes(range(256)) * (size // 256)
    for sent, body in ((text, in_json(DIGEST, text.decode())), (data, in_form(DIGEST, data)),
                       (data, in_json(DIGEST, {"base64": base64.b64encode(data).decode()}))):
        if json.loads(ask(connection, body))["output"] != hashlib.sha256(sent).hexdigest():
            raise measure.Wrong("a job has read other bytes than it was sent")
    for kind, sent in (("text", text), ("base64", data)):
        code = WRITE[kind] % ((size // len(TEXT) + 1, size) if kind == "text" else size)
        file = json.loads(ask(connection, in_json(code, None, collect=["x"])))["files"]["x"]
        if (file["text"].encode() if kind == "text" else base64.b64decode(file["base64"])) != sent:
            raise measure.Wrong("other bytes came back than a job has written")


def ask_well(connection, text):
    """The size of the answer."""
    body = ask(connection, text)
    if b'"verdict":"ok"' not in body:
        raise measure.Wrong(f"the service answers {bytes(body[:300])!r}")
    return len(body)


def times(service, connection, text):
    """Seconds until the answer is there, and of the service's own CPU time, which other load disturbs less."""
    used = pathlib.Path(f"/proc/{service.process.pid}/schedstat")  # its one thread
    before, began = int(used.read_text().split()[0]), time.monotonic()
    ask_well(connection, text)
    return time.monotonic() - began, (int(used.read_text().split()[0]) - before) / 1e9


# ── Memory ───────────────────────────────────────────────────────────────────────────────────────────────────────────

class Growth:
    """What a service's own memory has grown by at most since now, in bytes: pages of files do not count."""

    def __init__(self, pid):
        self.status = pathlib.Path(f"/proc/{pid}/status")
        self.before = self.now()
        pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")  # proc_pid_clear_refs(5): the peak
        self.clean = self.peak()

    def now(self):
        return 1024 * int(re.search(r"RssAnon:\s+(\d+)", self.status.read_text())[1])

    def peak(self):
        return 1024 * int(re.search(r"VmHWM:\s+(\d+)", self.status.read_text())[1])

    def most(self):
        """Of all its memory, mapped bodies included."""
        return self.peak() - self.clean


def copies(setting, text):
    """What a service's memory grows by for its first answer, in sizes of this answer: later ones find room that malloc(3)
    has kept."""
    with Service(setting) as service:
        service.warmed(policy=POLICY)
        with contextlib.closing(socket.create_connection(("127.0.0.1", int(service.port)))) as connection:
            ask_well(connection, in_json("pass", None))
            service.rest()
            growth = Growth(service.process.pid)
            size = ask_well(connection, text)
            return growth.most() / size


def uploads(setting, count, size):
    """Many bodies of that size at once."""
    data = os.urandom(size * 3 // 4)
    text = in_json(DIGEST, {"base64": base64.b64encode(data).decode()})
    wanted = hashlib.sha256(data).hexdigest()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as spool, Service(
            setting, "--upload-memory", f"{UPLOAD_MEMORY_MIB}M", "--upload-dir", spool, "--queue-time", "10m",
            "--body-timeout", "10m", "--connections-per-address", "1000") as service:
        service.warmed(policy=POLICY)
        growth, seen = Growth(service.process.pid), []

        def upload(_):
            with contextlib.closing(socket.create_connection(("127.0.0.1", int(service.port)))) as connection:
                return json.loads(ask(connection, text))["output"] == wanted

        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            answers = [pool.submit(upload, number) for number in range(count)]
            while not all(answer.done() for answer in answers):
                seen.append(growth.now() - growth.before)
                concurrent.futures.wait(answers, timeout=.02)
        wrong = [answer.exception() or "other bytes" for answer in answers if answer.exception() or not answer.result()]
        return {"count": count, "bytes": len(text), "lost": len(wrong), "why": str(wrong[0])[:200] if wrong else None, "growth_bytes": max(seen),
                "allowed_bytes": UPLOAD_MEMORY_MIB * MIB, "seconds": time.monotonic() - began}


# ── The whole ────────────────────────────────────────────────────────────────────────────────────────────────────────

def run(setting, rounds, size=10 * MIB, count=UPLOADS):
    told = {"bytes": size, "rounds": rounds, "ways": {}}
    made = ways(size)
    samples = {way: [] for way in made}
    with Service(setting) as service:
        service.warmed(policy=POLICY)
        with contextlib.closing(socket.create_connection(("127.0.0.1", int(service.port)))) as connection:
            verify(connection, size)
            for _ in range(rounds):
                for way, (text, without) in made.items():
                    samples[way].append((times(service, connection, text), times(service, connection, without)))
    told["copies"] = {way: copies(setting, text) for way, (text, _) in made.items() if "out" in way}
    for way, pairs in samples.items():
        beyond, cpu = (statistics.median(with_it[i] - without[i] for with_it, without in pairs) for i in (0, 1))
        told["ways"][way] = {"whole_ms": statistics.median(with_it[0] for with_it, _ in pairs) * 1e3, "beyond_ms": beyond * 1e3,
                             "service_cpu_ms": cpu * 1e3, "mb_s": size / 1e6 / max(beyond, 1e-6)}
    told["uploads"] = uploads(setting, count, size)
    told["goals"] = goals(told)
    show(told)
    return told


def goals(told):
    made = [{"goal": f"{way}: {told['bytes'] / MIB:g} MiB at {GOAL_MB_S} MB/s and more, beyond the job",
             "figure": f"{figure['mb_s']:.0f} MB/s", "met": figure["mb_s"] >= GOAL_MB_S} for way, figure in told["ways"].items()]
    made += [{"goal": f"{way}: memory grows by one copy of the answer at most", "figure": f"{figure:.2f} copies",
              "met": figure <= GOAL_COPIES + .1} for way, figure in told["copies"].items()]
    many = told["uploads"]
    made.append({"goal": f"{many['count']} uploads of {told['bytes'] / MIB:g} MiB at once: none is lost", "figure": f"{many['lost']} lost",
                 "met": many["lost"] == 0})
    made.append({"goal": "and they take no more memory than --upload-memory", "met": many["growth_bytes"] <= many["allowed_bytes"],
                 "figure": f"{many['growth_bytes'] / MIB:.0f} of {many['allowed_bytes'] / MIB:.0f} MiB, {many['seconds']:.0f} s"})
    return made


def show(told):
    print(f"\n{'Bytes':44}{'whole':>12}{'beyond':>12}{'service CPU':>12}")
    for way, figure in told["ways"].items():
        print(f"    {way:40}{figure['whole_ms']:9.1f} ms{figure['beyond_ms']:9.1f} ms{figure['service_cpu_ms']:9.1f} ms{figure['mb_s']:9.0f} MB/s")
    for goal in told["goals"]:
        print(f"    {'yes' if goal['met'] else 'NO ':4}{goal['goal']}: {goal['figure']}")
