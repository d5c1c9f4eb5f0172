"""What `bench --rich` measures: streamed answers. The time from a script's write to a client's read, beside that of a pipe
from a bare python; when the first output of print(1) comes, beside the whole answer. Every answer is checked; the
goals are shown, not enforced: machines differ."""

import contextlib
import json
import math
import os
import socket
import statistics
import subprocess
import sys
import time

import measure
from service import PRINT_1, Service

GOAL_FLUSH_MS, GOAL_FIRST_MS = 1.0, 0.2
STAMPS, PAUSE_SECONDS = 10, 0.01
# CLOCK_MONOTONIC is the same inside and outside.
STAMP = (f"import os, time\nfor _ in range({STAMPS}):\n    time.sleep({PAUSE_SECONDS})\n"
         "    os.write(1, b'%d\\n' % time.monotonic_ns())\n")


class Client:
    """One connection that is kept, whose answers are read line by line; when each came is noted."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, body, accept):
        text = json.dumps(body).encode()
        request = (f"POST /run HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n"
                   f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n").encode() + text
        began = time.monotonic_ns()
        self.socket.sendall(request)
        return began

    def parts(self, last):
        """(when it came, what came) of each read, until one ends as an answer does."""
        text = b""
        while not last(text):
            part = self.socket.recv(1 << 16)
            if not part:
                raise measure.Wrong(f"the service closes the connection after {text!r}")
            text += part
            yield time.monotonic_ns(), part

    def whole(self, body):
        """Nanoseconds until the whole answer is there."""
        def last(text):
            header, _, rest = text.partition(b"\r\n\r\n")
            return b"Content-Length: " in header and len(rest) >= int(header.split(b"Content-Length: ")[1].split()[0])
        began, text, now = self.ask(body, "application/json"), b"", 0
        for now, part in self.parts(last):
            text += part
        if b'"stdout":"1\\n"' not in text:
            raise measure.Wrong(f"the service answers {text!r}")
        return now - began

    def streamed(self, body):
        """Of each read that brought output: when, and the output; then the time of the beginning and the end."""
        began, found, now = self.ask(body, "application/x-ndjson"), [], 0
        for now, part in self.parts(lambda text: text.endswith(b"\r\n0\r\n\r\n")):
            found += [(now, json.loads(line)["text"]) for line in part.split(b"\n") if b'"event":"stdout"' in line]
        return began, found, now


def flush_by_stream(client):
    """Nanoseconds from each write of the script to its read."""
    _, found, _ = client.streamed({"code": STAMP})
    stamps = [(now, int(word)) for now, text in found for word in text.split()]
    if len(stamps) != STAMPS:
        raise measure.Wrong(f"{len(stamps)} of {STAMPS} writes came")
    return [now - stamp for now, stamp in stamps]


def flush_by_pipe():
    with subprocess.Popen([sys.executable, "-I", "-c", STAMP], stdout=subprocess.PIPE, bufsize=0) as process:
        delays = []
        while part := os.read(process.stdout.fileno(), 4096):
            now = time.monotonic_ns()
            delays += [now - int(word) for word in part.split()]
    return delays


def ms(values):
    values = sorted(values)
    return {"min_ms": values[0] / 1e6, "median_ms": statistics.median(values) / 1e6, "p95_ms": values[math.ceil(.95 * (len(values) - 1))] / 1e6}


def first_output(client):
    """Nanoseconds until the output of print(1) is there, and until the stream has ended."""
    began, found, end = client.streamed(PRINT_1)
    if "".join(text for _, text in found) != "1\n":
        raise measure.Wrong(f"print(1) printed {found}")
    return found[0][0] - began, end - began


def run(setting, rounds):
    samples = {name: [] for name in ("flush_stream", "flush_pipe", "whole", "first", "stream_end")}
    with Service(setting) as service:
        service.warmed()
        client = Client(service.port)
        with contextlib.closing(client.socket):
            for _ in range(rounds):
                samples["whole"].append(client.whole(PRINT_1))
                first, end = first_output(client)
                samples["first"].append(first)
                samples["stream_end"].append(end)
            service.rest()
            for _ in range(max(2, rounds // 50)):
                samples["flush_stream"] += flush_by_stream(client)
                samples["flush_pipe"] += flush_by_pipe()
    told = {name: ms(values) for name, values in samples.items()}
    told["rounds"] = rounds
    flush, later = told["flush_stream"]["median_ms"], told["first"]["median_ms"] - told["whole"]["median_ms"]
    told["goals"] = [
        {"goal": f"a script's write is read within {GOAL_FLUSH_MS} ms", "figure": f"{flush:.3f} ms",
         "met": flush <= GOAL_FLUSH_MS},
        {"goal": f"print(1): first output at most {GOAL_FIRST_MS} ms after the answer without streaming",
         "figure": f"{later:+.3f} ms", "met": later <= GOAL_FIRST_MS}]
    show(told)
    return told


def show(told):
    names = {"flush_stream": "write to read, streamed", "flush_pipe": "write to read, a pipe of bare python",
             "whole": "print(1): whole answer", "first": "print(1), streamed: its output",
             "stream_end": "print(1), streamed: the end"}
    print(f"\n{'Streams':44}{'least':>12}{'median':>12}{'95%':>12}")
    for name, title in names.items():
        print(f"    {title:40}{told[name]['min_ms']:9.3f} ms{told[name]['median_ms']:9.3f} ms{told[name]['p95_ms']:9.3f} ms")
    for goal in told["goals"]:
        print(f"    {'yes' if goal['met'] else 'NO ':4}{goal['goal']}: {goal['figure']}")
