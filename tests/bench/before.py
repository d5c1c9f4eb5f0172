"""What `bench --warm --before` measures: this build and an older one, two services in turns, so that what the machine
does meanwhile happens to both."""

import contextlib
import dataclasses
import os
import pathlib
import random
import statistics
import time

import warm
from service import Service

BLOCKS = 10  # of rounds; each tells a ratio


def setting_of(setting, before):
    """The older build's: BUILD:ROOTFS."""
    build, _, rootfs = before.partition(":")
    work = setting.work / "before"
    work.mkdir()
    return dataclasses.replace(setting, build=pathlib.Path(build).resolve(), rootfs=os.path.realpath(rootfs), work=work)


def ratios(told):
    """The median of the ratios of pairs (now, before), and how sure it is: half of what lies in the middle."""
    each = sorted(now / before for now, before in told)
    quarter = len(each) // 4
    return {"ratio": statistics.median(each), "least": each[quarter], "most": each[-1 - quarter]}


def busy_ms():
    """CPU time that the whole machine has used."""
    fields = list(map(int, pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]))
    idle = fields[3] + fields[4]
    return (sum(fields[:8]) - idle) * 1000 / os.sysconf("SC_CLK_TCK")


def latency(helpers, services, rounds):
    pair = [warm.contestant(service) for service in services]
    blocks = []
    for _ in range(BLOCKS):
        rows = warm.take_turns(helpers["spawn_time"], pair, max(rounds // BLOCKS, 1))
        blocks.append([row["p50_ms"] for row in rows])
    return {"p50_ms": [statistics.median(block[i] for block in blocks) for i in range(2)], **ratios(blocks)}


def throughput(helpers, services, clients, seconds, turns):
    order, rates, costs = random.Random(1), [], []
    for _ in range(turns):
        rate, cost = [0, 0], [0, 0]
        for i in order.sample(range(2), 2):
            used, began = busy_ms(), time.monotonic()
            rate[i] = warm.http_rate(helpers, services[i], clients, seconds)["rate"]
            cost[i] = (busy_ms() - used) / (rate[i] * (time.monotonic() - began))
        rates.append(rate)
        costs.append(cost)
    return {"rate": [statistics.median(turn[i] for turn in rates) for i in range(2)], **ratios(rates),
            "cpu_ms": [statistics.median(turn[i] for turn in costs) for i in range(2)], "cpu": ratios(costs)}


def run(setting, helpers, before, chosen):
    with contextlib.ExitStack() as at_end:
        services = [at_end.enter_context(Service(one, *warm.only_run(one)))
                    for one in (setting, setting_of(setting, before))]
        for service in services:
            service.warmed()
        clients = 4 * (os.cpu_count() or 1)
        seconds, turns = (.5, 1) if chosen.quick else (1, 20)
        return {"latency": latency(helpers, services, chosen.rounds),
                "throughput": throughput(helpers, services, clients, seconds, turns)}


def show(told):
    print("\nthis build, and the one before it in turns (the half of all turns in the middle)")
    lines = [("p50 of print(1), ms", told["latency"]["p50_ms"], told["latency"]),
             ("jobs a second", told["throughput"]["rate"], told["throughput"]),
             ("CPU time a job, ms", told["throughput"]["cpu_ms"], told["throughput"]["cpu"])]
    for what, (now, before), ratio in lines:
        print(f"{what:22}{now:9.3f}{before:9.3f}   {ratio['ratio']:.3f} × ({ratio['least']:.3f} to {ratio['most']:.3f})")
