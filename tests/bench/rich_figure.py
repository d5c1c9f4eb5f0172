#!/usr/bin/python3
"""Measures what a figure of a notebook cell costs beside savefig: one of 100 points, drawn by both in turns in one warm
job, whose displays are taken as they come. Needs SANDBOX_ROOTFS_DATA.

The figure of the cell is drawn, encoded, sent, checked and kept; savefig only draws it, into memory."""

import json
import os
import subprocess
import sys

GOAL = 1.1  # of what savefig takes
ROUNDS = 40

CELL = """
import io, json, time
import matplotlib.pyplot as plt

def figure():
    plt.figure()
    plt.plot([i * i %% 37 for i in range(100)])

def by_savefig():
    plt.gcf().savefig(io.BytesIO(), format="png")  # plt.savefig draws twice
    plt.close()

took = {"savefig": [], "show": []}
ways = [("savefig", by_savefig), ("show", plt.show)]
for _ in range(%d):
    ways.reverse()
    for name, draw in ways:
        figure()
        start = time.perf_counter()
        draw()
        took[name].append((time.perf_counter() - start) * 1000)
print(json.dumps(took))
"""


def median(values):
    return sorted(values)[len(values) // 2]


def measure(rounds=ROUNDS):
    """{"savefig_ms", "show_ms", "ratio"}: medians, and that of the quotients of neighbours."""
    command = [os.environ.get("SANDBOX_RUN", "sandbox-run"), "--rootfs", os.environ["SANDBOX_ROOTFS_DATA"], "--policy",
               "data", "--start", "warm", "--timeout", "60", "--notebook", "--displays", "200", "--json", "-c", CELL % rounds]
    verdict = json.loads(subprocess.run(command, capture_output=True, text=True).stdout)
    if verdict["verdict"] != "ok" or len(verdict["display"]) != rounds:
        raise SystemExit(f"rich_figure: {verdict['verdict']}, {len(verdict['display'])} displays, {verdict['stderr']}")
    took = json.loads(verdict["stdout"])
    return {"savefig_ms": round(median(took["savefig"]), 2), "show_ms": round(median(took["show"]), 2),
            "ratio": round(median([show / save for show, save in zip(took["show"], took["savefig"])]), 3)}


def main():
    report = measure()
    print(f"a figure of 100 points: savefig {report['savefig_ms']} ms, in a cell {report['show_ms']} ms: "
          f"{report['ratio']} of it (goal: at most {GOAL})")


if __name__ == "__main__":
    sys.exit(main())
