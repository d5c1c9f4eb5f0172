"""The benchmark of warm starts works, says what it should, and believes no answer that is wrong, of a cold start, or
given without every layer. No test depends on how fast anything is."""

import http.server
import json
import os
import pathlib
import subprocess
import threading
import xml.etree.ElementTree as ElementTree

import pytest

import contestants
import explain
import flat
import measure
import picture
import tracing
import warm

HERE = pathlib.Path(__file__).resolve().parent
RIGHT = {"verdict": "ok", "stdout": "1\n", "enforcement": {"cgroup": "v2", "start": "warm", "missing": []}}
WRONG = [("output", {"stdout": "2\n"}), ("verdict", {"verdict": "memory"}),
         ("start", {"enforcement": {"cgroup": "v2", "start": "cold", "missing": []}}),
         ("layer", {"enforcement": {"cgroup": "v2", "start": "warm", "missing": ["seccomp"]}})]


@pytest.fixture(name="answering")
def answering_service():
    """A function that starts a service which gives one answer to all requests, and tells its port."""
    servers = []

    def start(answer, status=200):
        body = json.dumps(answer, separators=(",", ":")).encode()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[:20])  # in two parts: an answer is whole when all of it is there
                self.wfile.flush()
                self.wfile.write(body[20:])

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.handle_error = lambda *_: None  # who has seen a wrong answer leaves in the middle
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        return str(server.server_port)

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def script(tmp_path, text):
    path = tmp_path / "script"
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return contestants.Contestant("fake", contestants.PYTHON, [str(path)])


# ── The whole ────────────────────────────────────────────────────────────────────────────────────

@pytest.mark.long
def test_quick_run_reports_all_that_is_promised(bench, tmp_path):
    said, report = bench("--warm", "--explain", "--only", "bubblewrap", "--figures", tmp_path / "figures")
    assert said.returncode == 0, said.stderr
    told = report["warm"]
    names = {row["name"] for row in told["latency"]["rows"]}
    assert {"bare", warm.WARM} <= names and names == {row["name"] for row in told["throughput"]}
    for row in told["latency"]["rows"]:
        assert row["runs"] == 2 and 0 < row["min_ms"] <= row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"]
    assert all(row["rate"] > 0 for row in told["throughput"])
    assert told["parked"]["own_kib"] > told["parked"]["private_kib"] > 0
    assert told["sleeping"]["at_once"] == told["sleeping"]["jobs"] == 20
    assert told["flat"]["jobs"] == 60 and told["flat"]["before"]["descriptors"] > 0
    if os.environ.get("SANDBOX_ROOTFS_DATA"):
        assert [row["name"] for row in told["data"]["rows"]] == ["bare", warm.WARM]
    else:
        assert "SANDBOX_ROOTFS_DATA" in told["absent"]["data"] and "not here: data" in said.stdout
    for goal in told["goals"]:
        assert f"{'yes' if goal['met'] else 'NO'} " in said.stdout and goal["goal"] in said.stdout
    assert report["explain"]["untraced_us"] > 0
    ElementTree.parse(tmp_path / "figures" / "warm.svg")
    assert json.loads((tmp_path / "figures" / "warm.json").read_text())["warm"] == told


def test_two_builds_are_compared_in_turns(bench, build):
    said, report = bench("--warm", "--before", f"{build}:{os.environ['SANDBOX_ROOTFS']}")
    assert said.returncode == 0, said.stderr
    assert "warm" not in report
    for told in (report["before"]["latency"], report["before"]["throughput"], report["before"]["throughput"]["cpu"]):
        assert 0 < told["least"] <= told["ratio"] <= told["most"]


def test_explain_follows_the_jobs(bench):
    # A job that prints 1 may do without any fault, one that fills new memory can't.
    said, report = bench("--explain", "--code", "b'x' * (8 << 20); print(1)")
    assert said.returncode == 0, said.stderr
    told = report["explain"]
    if not told["traced"]:
        pytest.skip(f"no tracing here: {told['why']}")
    assert told["followed"] >= told["seen"] / 2
    assert [row["part"] for row in told["parts"]] == [what for what, _ in explain.PARTS]
    by_part = {row["part"]: row for row in told["parts"]}
    assert by_part["python: take the job, compile, run"]["faults"] >= 1
    assert all(row["us"] >= 0 for row in told["parts"]) and told["calls"]


def test_a_service_without_all_layers_is_not_measured(bench, pretended):
    build = pretended("sandbox-serve", 'exec {real} --best-effort --cgroup none "$@"')
    said, figures = bench("--warm", "--part", "memory", "--only", "bare", build=build)
    assert said.returncode == 1
    assert "does not enforce everything" in said.stderr and "no cgroup" in said.stderr
    assert figures is None


# ── Answers ──────────────────────────────────────────────────────────────────────────────────────

@pytest.mark.parametrize("problem, change", WRONG)
def test_a_wrong_answer_ends_each_way_of_asking(helpers, answering, problem, change):
    answer = {**RIGHT, **change}
    port = answering(answer)
    for words in (["series", port, "3"], ["rate", port, "2", "1"]):
        said = subprocess.run([helpers["http_load"], *words, "warm", "{}"], capture_output=True, text=True, check=False)
        assert said.returncode == 1 and problem in said.stderr
    one = contestants.Contestant("liar", contestants.PYTHON, ["{}"], port=port, wrong=warm.wrong_answer, env={})
    with pytest.raises(measure.Wrong, match=f"liar.*{'wrong' if problem in ('output', 'verdict') else problem}"):
        list(measure.rounds(helpers["spawn_time"], [one], 2))


def test_an_answer_that_is_not_200_is_wrong(helpers, answering):
    port = answering(RIGHT, status=503)
    one = contestants.Contestant("full", contestants.PYTHON, ["{}"], port=port, wrong=warm.wrong_answer, env={})
    with pytest.raises(measure.Wrong, match="full.*not 200"):
        list(measure.rounds(helpers["spawn_time"], [one], 1))
    said = subprocess.run([helpers["http_load"], "series", port, "1", "warm", "{}"], capture_output=True, text=True,
                          check=False)
    assert said.returncode == 1 and "not 200" in said.stderr


def test_right_answers_are_counted_and_take_turns_with_programs(helpers, answering, tmp_path):
    port = answering(RIGHT)
    asked = contestants.Contestant("asked", contestants.PYTHON, ["{}"], port=port, wrong=warm.wrong_answer, env={})
    seen = [one.name for one, *_ in measure.rounds(helpers["spawn_time"], [asked, script(tmp_path, "echo 1")], 3)]
    assert [sorted(seen[at:at + 2]) for at in (0, 2, 4)] == [["asked", "fake"]] * 3
    assert len(flat.call(helpers["http_load"], "series", port, 5, "warm", "{}").split()) == 5
    rate, p50, p99 = map(float, flat.call(helpers["http_load"], "rate", port, 2, .2, "warm", "{}").split())
    assert rate > 0 and 0 < p50 <= p99


# ── Side by side ─────────────────────────────────────────────────────────────────────────────────

def test_as_many_run_side_by_side_as_were_asked_for(helpers, tmp_path):
    """Each waits until there are three."""
    log = tmp_path / "log"
    one = script(tmp_path, f"echo x >>{log}; while [ $(wc -l <{log}) -lt 3 ]; do :; done; echo 1")
    assert warm.spawn_rate(helpers, one, 3, .01)["rate"] > 0


@pytest.mark.parametrize("text, problem", [("echo 2", "stdout 2"), ("echo 1; exit 3", "wait status 768"),
                                           ("printf 1", "stdout 1"), ("echo why >&2; exit 1", "why")])
def test_a_wrong_one_among_many_is_told(helpers, tmp_path, text, problem):
    with pytest.raises(measure.Wrong, match="fake, 2 at once") as raised:
        warm.spawn_rate(helpers, script(tmp_path, text), 2, .1)
    assert problem in str(raised.value)


# ── What a service has ───────────────────────────────────────────────────────────────────────────

HAS = {"parked": 3, "resident_kib": 6000, "zygotes_kib": 9000, **{name: 10 for name in flat.COUNTED}}


@pytest.mark.parametrize("change, fresh, last, lost", [
    ({}, 1.0, 1.05, set()),
    ({}, 1.0, 1.2, {"costs"}),
    ({"resident_kib": 8000}, 1.0, 1.0, {"memory"}),
    ({"cgroups": 11}, 1.0, 1.0, {"left"}),
    ({"descriptors": 9}, 1.0, 1.0, set()),
    ({"parked": 4}, 1.0, 1.0, {"left"}),
])
def test_what_a_service_must_not_gain(change, fresh, last, lost):
    told = {"jobs": 100, "part": 10, "first_p50_ms": 2.0, "last_p50_ms": last, "fresh_p50_ms": fresh, "before": HAS,
            "after": {**HAS, **change}}
    missed = {word for what, _, met in flat.goals(told) if not met for word in ("costs", "memory", "left") if word in what}
    assert missed == lost


def test_states_are_compared_with_equally_many_parked():
    before, after = {3: {"parked": 3}, 6: {"parked": 6}}, {6: {"parked": 6}, 9: {"parked": 9}}
    assert flat.comparable(before, after) == ({"parked": 6}, {"parked": 6})
    assert flat.comparable({3: {"parked": 3}}, {4: {"parked": 4}}) == ({"parked": 3}, {"parked": 4})


# ── A trace ──────────────────────────────────────────────────────────────────────────────────────

NAMES = {0: "read", 1: "write", 61: "wait4", 231: "exit_group", 232: "epoll_wait", 271: "ppoll", 17: "pread64", 46: "sendmsg"}


def trace_of_a_job(at):
    """Client 10, service 20, python 32, its pid 1 31; two page faults in the job; times in microseconds."""
    def line(pid, when, event, rest):
        return f"       some-name-{pid}   [000] d..2. {(at + when) // 1000000}.{(at + when) % 1000000:06d}: {event}: {rest}"

    def enter(pid, when, number, first=0):
        return line(pid, when, "sys_enter", f"NR {number} ({first:x}, 0, 0, 0, 0, 0)")

    def leave(pid, when, number):
        return line(pid, when, "sys_exit", f"NR {number} = 0")

    def wakes(pid, when, other):
        return line(pid, when, "sched_waking", f"comm=x pid={other} prio=120 target_cpu=001")

    def switch(when, before, state, after):
        return line(before, when, "sched_switch", f"prev_comm=a prev_pid={before} prev_prio=120 prev_state={state} ==> "
                    f"next_comm=b next_pid={after} next_prio=120")

    return [
        enter(32, -9, 0), enter(31, -8, 271), enter(20, -7, 232),
        enter(10, 0, 1, 5), wakes(10, 2, 20), leave(10, 3, 1), enter(10, 4, 0), switch(5, 10, "S", 20), leave(20, 6, 232),
        wakes(20, 30, 32), enter(20, 31, 232), switch(32, 20, "S", 32), leave(32, 40, 0), line(32, 50, "page_fault_user", "x"),
        line(32, 51, "page_fault_user", "x"), enter(32, 60, 1, 1), leave(32, 65, 1), enter(32, 70, 231), wakes(32, 90, 31),
        switch(95, 32, "Z", 31), leave(31, 96, 271), enter(31, 97, 61), leave(31, 98, 61), enter(31, 100, 1, 1),
        wakes(31, 104, 20), leave(31, 105, 1), enter(31, 106, 271), switch(110, 31, "S", 20),
        leave(20, 116, 232), enter(20, 170, 17), leave(20, 190, 17),
        enter(20, 200, 46), wakes(20, 210, 10), leave(20, 211, 46), enter(20, 212, 232), switch(215, 20, "S", 10),
        leave(10, 220, 0)]


def test_a_traced_job_is_taken_apart():
    text = "\n".join([*trace_of_a_job(1999900), *trace_of_a_job(3000000)])
    processes = tracing.parse(text, NAMES)
    jobs, seen = explain.jobs_of(processes, 10, 20)
    assert (len(jobs), seen) == (1, 1)  # of the last it is not known whether it was traced to its end
    parts = {row["part"]: row for row in explain.price_list(jobs)}
    assert [round(row["us"]) for row in parts.values()] == [6, 24, 10, 20, 10, 20, 6, 4, 16, 94, 10]
    assert sum(row["us"] for row in parts.values()) == 220
    assert parts["python: take the job, compile, run"]["faults"] == 2
    assert parts["pid 1 learns of it"]["waits_us"] == 5
    assert explain.dearest([("service", processes[20], jobs[0].start, jobs[0].stop)], 1)[0] == {
        "whose": "service", "call": "pread64", "calls": 1, "us": 20}


def test_a_trace_that_cannot_be_followed_is_no_price_list():
    text = "\n".join(line for at in (1000000, 2000000, 3000000) for line in trace_of_a_job(at) if "NR 61" not in line)
    with pytest.raises(measure.Wrong, match="0 of 2 traced jobs"):
        explain.figures(tracing.parse(text, NAMES), 10, 20, [1.0])


def test_the_published_picture_is_that_of_the_published_figures():
    figures = json.loads((HERE / "figures" / "warm.json").read_text(encoding="utf-8"))
    assert picture.svg(figures) == (HERE / "figures" / "warm.svg").read_text(encoding="utf-8")
    readme = (HERE.parents[1] / "README.md").read_text(encoding="utf-8")
    assert "tests/bench/figures/warm.svg" in readme


# ── The picture ──────────────────────────────────────────────────────────────────────────────────

def test_the_picture_shows_everybody_in_order_and_is_xml():
    rows = [{"name": name, "runs": 5, "p50_ms": p50, "p99_ms": p50 + 1, "p50_of_bare": p50 / 8} for name, p50 in
            (("bare", 8.0), ("a<b&c", 12.0), (warm.WARM, .7))]
    rates = [{"name": name, "rate": rate} for name, rate in (("bare", 200.0), ("a<b&c", 99.0), (warm.WARM, 900.0))]
    report = {"machine": {"cpu": "<CPU>", "cores": 2, "virtual": False, "kernel": "6.1.0-x", "cgroup": "v2"},
              "date": "2030-01-01", "warm": {"latency": {"rows": rows}, "throughput": rates}}
    tree = ElementTree.fromstring(picture.svg(report))
    words = [element.text for element in tree.iter("{http://www.w3.org/2000/svg}text")]
    warmest = words.index(picture.PLAIN[warm.WARM])
    assert words.index("a<b&c") > words.index(picture.PLAIN["bare"]) > warmest
    assert "0.70 ms · 0.09 × bare" in words and "900/s · 4.5 × bare" in words and any("<CPU>" in word for word in words)
