"""Which requests run, which wait and which are refused, and that clients who leave take their jobs with them."""

import os
import pathlib
import time

import pytest

from host import cpu_quota, find_host
from http_client import bearer
from overlap import SLEEP, most_at_once
from sandbox_serve import Waiting
from waiting import until


def finished(server):
    return sum(value for (name, *_), value in server.metrics().items() if name == "sandbox_jobs_total")


def waiting(server, count):
    until(lambda: server.metric("sandbox_queue_length") == count)


@pytest.mark.parametrize("jobs", [1, 3])
def test_never_more_jobs_at_once_than_allowed(serve, jobs):
    server = serve(jobs=jobs)
    asked = [server.send("POST", "/run", {"code": SLEEP}) for _ in range(12)]
    assert most_at_once([connection.answer() for connection in asked]) <= jobs


@pytest.mark.parametrize("jobs", [1, 3])
def test_as_many_jobs_at_once_as_allowed(serve, jobs):
    server = serve(jobs=jobs)
    held = [server.hold().started() for _ in range(jobs)]
    held.append(server.hold())
    waiting(server, 1)
    assert server.metric("sandbox_jobs_running") == jobs
    for each in held:
        each.release()


def test_what_is_full_is_said_with_when_to_come_again(serve):
    server = serve(jobs=1, queue=2)
    held = server.hold().started()
    asked = [server.send("POST", "/run", {"code": "print('ran')"}) for _ in range(2)]
    waiting(server, 2)
    answer = server.post("/run", {"code": "print('ran')"})
    assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1
    assert answer.error.endswith(f": try again in {answer.headers['Retry-After']} s")
    assert answer.error.count("again") == 1
    assert server.get("/health").status == 200
    held.release()
    assert [connection.answer().json["output"] for connection in asked] == ["ran", "ran"]
    assert server.run("print('again')")["output"] == "again"


@pytest.mark.parametrize("path", ["/run_code", "/execute", "/run"])
def test_every_endpoint_says_so_when_it_is_full(serve, path):
    server = serve(jobs=1, queue=0)
    held = server.hold().started()
    answer = server.post(path, {"code": "print('ran')"})
    assert answer.status == 503 and answer.json["error"] and int(answer.headers["Retry-After"]) >= 1
    held.release()


def test_what_waited_too_long_is_refused(serve):
    server = serve(jobs=1, queue_time="300ms")
    held = server.hold().started()
    answer = server.post("/run", {"code": "print('ran')"})
    assert answer.status == 503 and answer.error and int(answer.headers["Retry-After"]) >= 1
    held.release()
    assert finished(server) == 1


def test_a_waiting_client_that_leaves_is_dropped_and_its_code_never_runs(serve):
    server = serve(jobs=1)
    held = server.hold().started()
    asked = [server.send("POST", "/run", {"code": "print('ran')"}) for _ in range(5)]
    waiting(server, 5)
    for connection in asked[1:4]:
        connection.close()
    waiting(server, 2)
    held.release()
    assert [asked[n].answer().json["output"] for n in (0, 4)] == ["ran", "ran"]
    assert server.run("print('last')")["output"] == "last"
    assert finished(server) == 1 + 2 + 1


def cgroups_of(pid):
    """The cgroups of a process, as directories."""
    found = set()
    for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for root in ("/sys/fs/cgroup", f"/sys/fs/cgroup/{controllers}", "/sys/fs/cgroup/unified"):
            directory = pathlib.Path(root + path)
            if (directory / "cgroup.procs").exists() and "job" in path:
                found.add(directory)
    return found


def test_a_running_client_that_leaves_takes_its_job_with_it(serve):
    server = serve(jobs=1)
    held = server.hold().started()
    pid, cgroups = held.pid(), cgroups_of(held.pid())
    assert cgroups
    held.leave()
    until(lambda: not pathlib.Path(f"/proc/{pid}").exists())
    until(lambda: not any(directory.exists() for directory in cgroups))
    record = server.log.jobs(1)[0]
    assert record["verdict"] == "signal"
    assert server.run("print('free again')")["output"] == "free again"


def test_a_job_that_forks_dies_whole_when_its_client_leaves(serve):
    server = serve(jobs=1)
    job = Waiting(server)
    code = "import os\nfor _ in range(5): os.fork()\n" + job.code
    with server.send("POST", "/run", {"code": code, "policy": "default"}):
        until(lambda: len(job.pids()) == 32)
    server.log.jobs(1)
    assert not job.pids()


# Clients that have a job running take turns for the next place.


def others_before(records, own):
    """How many jobs began before that of the record `own`, which was asked for last."""
    return sum(record["waited_ms"] < own["waited_ms"] for record in records)


def test_one_client_with_many_requests_does_not_keep_another_waiting(serve, token):
    greedy, modest = token("greedy"), token("modest")
    server = serve(jobs=2, tokens=token.file)
    held, other = [server.hold(bearer(client)).started() for client in (greedy, modest)]
    many = [server.send("POST", "/run", {"code": "pass"}, bearer(greedy)) for _ in range(20)]
    until(lambda: server.metrics(bearer(modest))[("sandbox_queue_length",)] == 20)
    one = server.send("POST", "/run", {"code": "pass"}, bearer(modest))
    until(lambda: server.metrics(bearer(modest))[("sandbox_queue_length",)] == 21)
    held.release()
    assert one.answer().status == 200
    assert all(connection.answer().status == 200 for connection in many)
    records = server.log.jobs(22)
    own, = (record for record in records if record["token"] == "modest")
    assert others_before(records, own) <= 2, "those were the held one and the first of the many"
    other.release()


def test_clients_are_told_apart_by_their_addresses_too(serve):
    server = serve(jobs=2)
    held, other = server.hold().started(), server.hold(source="127.0.0.2").started()
    many = [server.send("POST", "/run", {"code": "pass"}) for _ in range(10)]
    waiting(server, 10)
    one = server.send("POST", "/run", {"code": "pass"}, source="127.0.0.2")
    waiting(server, 11)
    held.release()
    assert all(connection.answer().status == 200 for connection in [one, *many])
    records = server.log.jobs(12)
    own, = (record for record in records if record["client"] == "127.0.0.2")
    assert others_before(records, own) <= 2, "those were the held one and the first of the many"
    other.release()


# One that has none running need not wait for the others' to end.


@pytest.mark.parametrize("start", ["warm", "cold"])
@pytest.mark.parametrize("jobs", [1, 4])
def test_a_clients_long_jobs_do_not_keep_another_waiting_that_has_none(serve, jobs, start):
    server = serve(jobs=jobs, cold=start == "cold")
    held = [server.hold().started() for _ in range(jobs)]
    more = [server.send("POST", "/run", {"code": "print('mine')"}) for _ in range(3)]
    waiting(server, 3)
    for number in range(5):
        answer = server.post("/run", {"code": f"print({number})"}, source=f"127.0.0.{2 + number}")
        assert answer.json["output"] == str(number)
        assert start == "warm" or answer.json["enforcement"]["start"] == "cold"
    assert server.metric("sandbox_queue_length") == 3, "those that have jobs running waited"
    for each in held:
        each.release()
    assert [connection.answer().json["output"] for connection in more] == ["mine"] * 3


def test_there_are_but_few_places_beside_the_others(serve):
    server = serve(jobs=1)
    held = [server.hold().started(), server.hold(source="127.0.0.2").started()]
    held.append(server.hold(source="127.0.0.3"))
    until(lambda began=time.monotonic(): time.monotonic() - began > 0.6)
    assert server.metric("sandbox_jobs_running") == 2 and held[2].pid() is None
    held[1].release()
    held[2].started()
    for each in (held[0], held[2]):
        each.release()


def test_a_clients_jobs_leave_memory_to_another_that_has_none(serve):
    """Each is promised 128 MiB; an eighth is left."""
    server = serve(jobs=100, memory="1G")
    held = [server.hold().started() for _ in range(7)]
    held.append(server.hold())
    waiting(server, 1)
    assert server.post("/run", {"code": "print('mine')"}, source="127.0.0.2").json["output"] == "mine"
    assert server.metric("sandbox_queue_length") == 1
    for each in held:
        each.release()


# Jobs that compute do not, either.

CPUS = len(os.sched_getaffinity(0))
BURN = "import time\nbegan = time.monotonic()\nwhile time.process_time() < 0.25: pass\nprint(began, time.monotonic())"


@pytest.mark.parametrize("quota, jobs", [(500, 2), (1500, 3)])
def test_unless_told_otherwise_there_are_twice_as_many_jobs_as_cpus_that_its_cgroup_allows(serve, tmp_path, quota, jobs):
    if quota > 1000 * CPUS:
        pytest.skip("there are fewer CPUs")
    with cpu_quota(find_host(tmp_path), quota) as prefix:
        server = serve(prefix=prefix, cold=True)
        assert server.metric("sandbox_jobs_max") == jobs
        server.stop()


def test_jobs_that_compute_do_not_run_all_at_once_however_many_may(serve):
    server = serve(jobs=1000, memory="100G", queue=1000, queue_time="10m")
    asked = [server.send("POST", "/run", {"code": BURN, "policy": "default"}) for _ in range(20 * CPUS)]
    assert most_at_once([connection.answer() for connection in asked]) <= 10 * CPUS


def test_jobs_that_wait_for_something_do_all_run_at_once(serve):
    server = serve(jobs=1000, memory="100G")
    held = [server.hold() for _ in range(24)]  # as many as there are signals for
    for each in held:
        each.started()
    for each in held:
        each.release()


def test_a_full_queue_of_one_client_does_not_shut_another_out(serve):
    server = serve(jobs=1, queue=4)
    held = server.hold().started()
    many = [server.send("POST", "/run", {"code": "pass"}) for _ in range(4)]
    waiting(server, 4)
    one = server.send("POST", "/run", {"code": "print('mine')"}, source="127.0.0.2")
    until(lambda: any(count_refused(server)))
    held.release()
    assert one.answer().json["output"] == "mine"
    assert sorted(connection.answer().status for connection in many) == [200, 200, 200, 503]


def count_refused(server):
    return [value for name, value in server.metrics().items() if "refused" in name[0] and name[-1].startswith("queue")]


def test_what_is_asked_for_first_by_a_client_runs_first(serve):
    server = serve(jobs=1)
    held = server.hold().started()
    asked = []
    for number in range(6):
        asked.append(server.send("POST", "/run", {"code": f"#{number}\nimport time; print(time.monotonic())"}))
        waiting(server, number + 1)
    held.release()
    ran = [float(connection.answer().json["output"]) for connection in asked]
    assert ran == sorted(ran)


def test_no_more_memory_is_promised_than_there_is(serve):
    """The policy promises each job 128 MiB."""
    server = serve(jobs=10, memory="300M")
    first, second = server.hold().started(), server.hold().started()
    third = server.hold()
    waiting(server, 1)
    assert third.pid() is None
    first.release()
    third.started()
    for held in (second, third):
        held.release()


def test_a_job_that_asks_for_less_memory_takes_less_of_the_promise(serve):
    server = serve(jobs=10, memory="140M")
    held = [server.hold(limits={"memory_bytes": 32 << 20}).started() for _ in range(4)]
    held.append(server.hold(limits={"memory_bytes": 32 << 20}))
    waiting(server, 1)
    for each in held:
        each.release()


def test_a_job_that_could_never_have_its_memory_is_refused_at_once(serve):
    server = serve(jobs=10, memory="100M")
    answer = server.post("/run", {"code": "pass"})
    assert answer.status in (400, 503) and "memory" in answer.error


def test_a_large_job_is_not_kept_out_by_small_ones(serve):
    server = serve(jobs=4, memory="140M")
    small = {"code": SLEEP, "limits": {"memory_bytes": 32 << 20}}
    held = server.hold().started()
    asked = [server.send("POST", "/run", small, source="127.0.0.2") for _ in range(3)]
    large = server.send("POST", "/run", {"code": SLEEP}, source="127.0.0.3")
    asked += [server.send("POST", "/run", small, source="127.0.0.4") for _ in range(30)]
    waiting(server, 34)
    held.release()
    assert large.answer().status == 200
    assert all(connection.answer().status == 200 for connection in asked)
    order = [record["client"] for record in server.log.jobs(35)]
    assert order.index("127.0.0.3") < 20


def test_requests_that_are_wrong_are_told_so_without_waiting(serve):
    server = serve(jobs=1)
    held = server.hold().started()
    for body in ({"nonsense": 1}, {"code": "x" * 6000}, {"code": "pass", "policy": "none"},
                 {"code": "pass", "limits": {"pids": 100000}}):
        assert server.post("/run", body).status == 400
    held.release()


def test_how_long_a_request_waited_is_not_time_of_its_job(serve):
    server = serve(jobs=1)
    held = server.hold().started()
    asked = server.send("POST", "/run", {"code": "while True: pass", "timeout": 0.5})
    waiting(server, 1)
    until(lambda began=time.monotonic(): time.monotonic() - began > 0.6)
    held.release()
    answer = asked.answer().json
    assert (answer["verdict"], answer["usage"]["wall_time_ms"] >= 500) == ("timeout", True), answer
    record = server.log.wait(lambda record: record.get("verdict") == "timeout")
    assert record["waited_ms"] >= 600
