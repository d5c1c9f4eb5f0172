"""What `bench --scale` measures: many jobs at once. 100 cases of a graded run beside 100 requests over one and over two
connections that are kept, in turns. Every answer is checked; the goals are shown, not enforced: machines differ."""

import concurrent.futures
import contextlib
import json
import time

import measure
from rich import Client, ms
from service import Service

CASES = 100
GOAL_SHARE = 0.5
CODE = "print(2 * int(input()))"
PREFIX = b"Content-Length: "


def answer(client, body):
    """Asks and reads the answer: an object."""
    def last(text):
        header, _, rest = text.partition(b"\r\n\r\n")
        return PREFIX in header and len(rest) >= int(header.split(PREFIX)[1].split()[0])
    client.ask(body, "application/json")
    text = b"".join(part for _, part in client.parts(last))
    return json.loads(text.partition(b"\r\n\r\n")[2])


def timed(work):
    began = time.monotonic_ns()
    work()
    return time.monotonic_ns() - began


def by_cases(client):
    cases = [{"stdin": str(i), "expected": {"stdout": str(2 * i)}} for i in range(CASES)]
    told = answer(client, {"code": CODE, "cases": cases})
    if told.get("passed") != CASES:
        raise measure.Wrong(f"{told.get('passed')} of {CASES} cases passed: {str(told)[:300]}")


def by_requests(clients, pool):
    def some(which):
        for i in range(which, CASES, len(clients)):
            told = answer(clients[which], {"code": CODE, "stdin": str(i)})
            if told.get("output") != str(2 * i):
                raise measure.Wrong(f"the service answers {told}")
    list(pool.map(some, range(len(clients))))


def cases_and_requests(setting, rounds):
    samples = {"cases": [], "one_connection": [], "two_connections": []}
    with Service(setting) as service, contextlib.ExitStack() as stack:
        service.warmed()
        clients = [Client(service.port) for _ in range(2)]
        for client in clients:
            stack.enter_context(contextlib.closing(client.socket))
        pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(2))
        for _ in range(rounds):
            samples["cases"].append(timed(lambda: by_cases(clients[0])))
            samples["one_connection"].append(timed(lambda: by_requests(clients[:1], pool)))
            samples["two_connections"].append(timed(lambda: by_requests(clients, pool)))
    return {name: ms(values) for name, values in samples.items()}


def run(setting, rounds):
    told = cases_and_requests(setting, rounds)
    told["rounds"] = rounds
    told["goals"] = []
    for name, title in (("one_connection", "one connection"), ("two_connections", "two connections")):
        share = told["cases"]["median_ms"] / told[name]["median_ms"]
        told["goals"].append({"goal": f"{CASES} cases in at most {GOAL_SHARE} of the time of {CASES} requests over {title}",
                              "figure": f"{share:.2f}", "met": share <= GOAL_SHARE})
    show(told)
    return told


def show(told):
    names = {"cases": f"{CASES} cases in one request", "one_connection": f"{CASES} requests, one connection",
             "two_connections": f"{CASES} requests, two connections"}
    print(f"\n{'Many jobs at once':44}{'least':>12}{'median':>12}{'95%':>12}")
    for name, title in names.items():
        print(f"    {title:40}{told[name]['min_ms']:9.1f} ms{told[name]['median_ms']:9.1f} ms{told[name]['p95_ms']:9.1f} ms")
    for goal in told["goals"]:
        print(f"    {'yes' if goal['met'] else 'NO ':4}{goal['goal']}: {goal['figure']}")
