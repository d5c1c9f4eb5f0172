"""What `bench --scale` measures: many jobs at once. 100 cases of a graded run beside 100 requests over one and over two
connections that are kept, in turns; stored jobs and several nodes (stored.py). Every answer is checked; the goals are
shown, not enforced: machines differ."""

import concurrent.futures
import json
import time

import measure
from job_costs import run_costs
from rich import ms
from service import Service
from stored import connected, run_stored

CASES = 100
GOAL_SHARE = 0.5
CODE = "print(2 * int(input()))"


def answer(connection, body):
    return connection.call("POST", "/run", json.dumps(body).encode())


def timed(port, count, work):
    """New connections: a service closes those that have rested for long."""
    with connected(port, count) as connections:
        began = time.monotonic_ns()
        work(connections)
        return time.monotonic_ns() - began


def by_cases(connections):
    cases = [{"stdin": str(i), "expected": {"stdout": str(2 * i)}} for i in range(CASES)]
    told = answer(connections[0], {"code": CODE, "cases": cases})
    if told.get("passed") != CASES:
        raise measure.Wrong(f"{told.get('passed')} of {CASES} cases passed: {str(told)[:300]}")


def by_requests(connections, pool):
    def some(which):
        for i in range(which, CASES, len(connections)):
            told = answer(connections[which], {"code": CODE, "stdin": str(i)})
            if told.get("output") != str(2 * i):
                raise measure.Wrong(f"the service answers {told}")
    list(pool.map(some, range(len(connections))))


def cases_and_requests(setting, rounds):
    samples = {"cases": [], "one_connection": [], "two_connections": []}
    with Service(setting) as service, concurrent.futures.ThreadPoolExecutor(2) as pool:
        service.warmed()
        for _ in range(rounds):
            samples["cases"].append(timed(service.port, 1, by_cases))
            samples["one_connection"].append(timed(service.port, 1, lambda to: by_requests(to, pool)))
            samples["two_connections"].append(timed(service.port, 2, lambda to: by_requests(to, pool)))
    return {name: ms(values) for name, values in samples.items()}


def run(setting, rounds):
    """A round of cases is some 300 jobs, one of stored jobs a dozen."""
    told = cases_and_requests(setting, max(2, rounds // 5))
    told["rounds"] = rounds
    told["goals"] = []
    for name, title in (("one_connection", "one connection"), ("two_connections", "two connections")):
        share = told["cases"]["median_ms"] / told[name]["median_ms"]
        told["goals"].append({"goal": f"{CASES} cases in at most {GOAL_SHARE} of the time of {CASES} requests over {title}",
                              "figure": f"{share:.2f}", "met": share <= GOAL_SHARE})
    show(told)
    told["stored"] = run_stored(setting, rounds)
    told["costs"] = run_costs(setting)
    return told


def show(told):
    names = {"cases": f"{CASES} cases in one request", "one_connection": f"{CASES} requests, one connection",
             "two_connections": f"{CASES} requests, two connections"}
    print(f"\n{'Many jobs at once':44}{'least':>12}{'median':>12}{'95%':>12}")
    for name, title in names.items():
        print(f"    {title:40}{told[name]['min_ms']:9.1f} ms{told[name]['median_ms']:9.1f} ms{told[name]['p95_ms']:9.1f} ms")
    for goal in told["goals"]:
        print(f"    {'yes' if goal['met'] else 'NO ':4}{goal['goal']}: {goal['figure']}")
