"""How the service ends and goes on: SIGTERM, SIGKILL, workers that die, reload, and what it tells systemd."""

import json
import os
import signal
import socket

import pytest

from leftovers import cgroups, mounts, temporary_files
from overlap import SLEEP, most_at_once
from processes import descendants, living, process_table
from sandbox_serve import Held, command, says
from waiting import until

RUN = {"code": "print('RAN')"}


def refuses(server):
    """Whether a new client is turned away: it can't connect, or is told 503."""
    try:
        with server.connect() as connection:
            answer = connection.ask("POST", "/run", RUN).answer()
            return answer is None or answer.status == 503
    except OSError:
        return True


# ── SIGTERM ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_finishes_what_runs_and_exits_with_0(serve, number):
    server = serve()
    held = server.hold().started()
    server.signal(number)
    until(lambda: refuses(server))
    assert held.release().json["output"] == "let go"
    assert server.wait() == 0


def test_what_waits_when_it_is_told_to_stop_is_finished_or_refused(serve):
    server = serve(jobs=1)
    held = server.hold().started()
    asked = [server.send("POST", "/run", RUN) for _ in range(3)]
    until(lambda: server.metric("sandbox_queue_length") == 3)
    server.signal(signal.SIGTERM)
    until(lambda: refuses(server))
    held.release()
    for connection in asked:
        answer = connection.answer()
        assert answer.status == 503 or answer.json["output"] == "RAN"
    assert server.wait() == 0


def test_what_still_runs_after_the_grace_is_ended_with_a_verdict(serve):
    server = serve(grace="200ms", jobs=1)
    asked = Held(server, None, {}, {}, first="print('before', flush=True)\n").started()
    waits = server.send("POST", "/run", RUN)
    until(lambda: server.metric("sandbox_queue_length") == 1)
    server.signal(signal.SIGTERM)
    answer = asked.connection.answer()
    assert answer.status == 503 and answer.json["verdict"] == "signal" and answer.json["signal"] == "SIGKILL"
    assert answer.json["output"] == "before" and answer.json["error"]
    assert waits.answer().status == 503
    assert server.wait() == 0


def test_told_twice_it_does_not_wait_for_the_grace(serve):
    server = serve(grace="1h")
    asked = server.send("POST", "/run", {"code": "import time; time.sleep(1000)", "policy": "default", "timeout": 300})
    until(lambda: server.metric("sandbox_jobs_running") == 1)
    server.signal(signal.SIGTERM)
    until(lambda: refuses(server))
    server.signal(signal.SIGTERM)
    assert asked.answer().json["verdict"] == "signal"
    assert server.wait() == 0


def test_idle_clients_do_not_keep_it_from_stopping(serve):
    server = serve(grace="1h")
    idle, half = server.connect(), server.connect()
    assert idle.ask("GET", "/health").answer().status == 200
    half.send(b"POST /run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
    server.stop()
    assert idle.answer() is None


@pytest.mark.alone
@pytest.mark.parametrize("workers", [1, 2])
def test_stopped_with_jobs_running_it_leaves_nothing(serve, tmp_path, workers):
    first = serve()  # its first job clears what the dead ones of other tests have left
    first.run("pass")
    first.stop()
    before = cgroups(), mounts(), temporary_files()
    server = serve(listen=f"unix:{tmp_path}/socket", grace="100ms", jobs=8 * workers, workers=workers)
    fork = "import os, time\nos.fork()\nopen('/tmp/x', 'w').write('x')\ntime.sleep(1000)"
    asked = [server.send("POST", "/run_code", {"code": fork}) for _ in range(6)]
    until(lambda: server.metric("sandbox_jobs_running") == 6)
    server.signal(signal.SIGTERM)
    assert {connection.answer().status for connection in asked} == {503}
    assert server.wait() == 0
    assert not living(descendants(server.pid))
    assert (cgroups(), mounts(), temporary_files()) == before
    assert not (tmp_path / "socket").exists()


# ── SIGKILL ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("workers", [1, 2])
def test_when_it_is_killed_its_jobs_die_with_it(launch, serve, workers):
    server = launch(command(jobs=8, workers=workers)).listening()
    asked = [server.send("POST", "/run_code", {"code": "import os, time\nos.fork()\ntime.sleep(1000)"}) for _ in range(4)]
    until(lambda: server.metric("sandbox_jobs_running") == 4)
    server.kill()
    for connection in asked:
        assert connection.answer() is None
    assert serve().run("print('a new one')")["output"] == "a new one"


def workers_of(server):
    return {pid for pid, parent in process_table().items() if parent == server.pid
            and pid in living({pid})}


def test_a_worker_that_dies_is_replaced_and_its_jobs_are_gone(serve):
    server = serve(workers=2, jobs=4)
    before = workers_of(server)
    assert len(before) == 2
    held = server.hold().started()
    victim = next(pid for pid in before if held.pid() in descendants(pid))
    job = descendants(victim)
    os.kill(victim, signal.SIGKILL)
    until(lambda: not living(job))
    assert held.connection.answer() is None
    until(lambda: len(workers_of(server)) == 2 and victim not in workers_of(server))
    for number in range(20):
        assert server.run(f"print({number})")["output"] == str(number)
    assert "worker" in json.dumps(server.log.all(lambda record: record.get("level") in ("warning", "error"))
                                  or server.log.records)


def test_metrics_of_workers_add_up_whoever_is_asked(serve):
    server = serve(workers=2, jobs=4)
    for _ in range(30):
        server.run("pass")
    for _ in range(10):
        counted = sum(value for name, value in server.metrics().items()
                      if name[0] == "sandbox_jobs_total" and "ok" in name)
        assert counted == 30
    os.kill(next(iter(workers_of(server))), signal.SIGKILL)
    until(lambda: len(workers_of(server)) == 2)
    server.run("pass")
    assert sum(value for name, value in server.metrics().items()
               if name[0] == "sandbox_jobs_total" and "ok" in name) == 31


def test_jobs_are_bounded_over_all_workers(serve):
    server = serve(workers=2, jobs=2)
    asked = [server.send("POST", "/run", {"code": SLEEP}) for _ in range(16)]
    assert most_at_once([connection.answer() for connection in asked]) <= 2


# ── SIGHUP ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("workers", [1, 2])
def test_reload_takes_new_policies_and_keeps_the_old_ones_when_they_are_wrong(serve, policies, workers):
    server = serve(policies=policies(), workers=workers)
    limit = "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    assert server.run(limit)["output"] == "256"

    directory = policies(run={"limits": {"open_files": 99}})
    server.signal(signal.SIGHUP)
    until(lambda: {server.run(limit)["output"] for _ in range(4 * workers)} == {"99"})

    (directory / "run.json").write_text('{"limits": {"open_files": "many"}}')
    server.signal(signal.SIGHUP)
    server.log.wait(lambda record: "run.json" in record["message"])
    assert server.run(limit)["output"] == "99"

    policies(run={"limits": {"open_files": 77}})
    server.signal(signal.SIGHUP)
    until(lambda: {server.run(limit)["output"] for _ in range(4 * workers)} == {"77"})


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failed_reload_is_a_warning_of_its_worker_a_metric_and_a_status(serve, policies, manager, workers):
    server = serve(policies=policies(), workers=workers, env={"NOTIFY_SOCKET": manager.getsockname()})
    status = [line for line in hear(manager, "READY=1") if line.startswith("STATUS=")]
    assert len(status) == 1 and "failed" not in status[0]
    assert server.metric("sandbox_last_reload_successful") == 1

    (policies() / "run.json").write_text('{"limits": {"open_files": "many"}}')
    server.signal(signal.SIGHUP)
    status, = [line for line in hear(manager, "READY=1") if line.startswith("STATUS=")]
    server.log.wait(lambda record: "run.json" in record["message"], workers)
    warnings = server.log.all(lambda record: "run.json" in record["message"])
    assert {(record["level"], record["worker"]) for record in warnings} == {("warning", n) for n in range(workers)}
    assert all(f"worker {record['worker']}" in record["message"] for record in warnings)
    numbers = ", ".join(map(str, range(workers)))
    assert f"reload failed in worker {numbers}: the old policies are kept: " in status and "run.json" in status
    assert server.metric("sandbox_last_reload_successful") == 0
    assert server.metric("sandbox_reloads_total", "failed") == workers

    policies(run={})
    server.signal(signal.SIGHUP)
    status, = [line for line in hear(manager, "READY=1") if line.startswith("STATUS=")]
    assert "failed" not in status
    assert server.metric("sandbox_last_reload_successful") == 1
    assert [server.metric("sandbox_reloads_total", result) for result in ("ok", "failed")] == [workers, workers]


def test_workers_that_were_replaced_are_counted(serve):
    server = serve(workers=2)
    assert server.metric("sandbox_worker_restarts_total") == 0
    for worker in [pid for pid, parent in process_table().items() if parent == server.pid]:
        os.kill(worker, signal.SIGKILL)
    server.log.wait(says("started again"), 2)
    assert server.metric("sandbox_worker_restarts_total") == 2


def test_a_job_that_runs_while_policies_change_ends_as_it_began(serve, policies):
    server = serve(policies=policies())
    held = server.hold().started()
    policies(run={"limits": {"memory_bytes": 20 << 20}})
    server.signal(signal.SIGHUP)
    until(lambda: server.run("x = b'a' * 40_000_000")["verdict"] == "memory")
    held.release()


def test_requests_are_answered_while_it_reloads(serve):
    server = serve(jobs=2)
    for number in range(30):
        server.signal(signal.SIGHUP)
        assert server.run(f"print({number})")["output"] == str(number)


# ── The start ────────────────────────────────────────────────────────────────────────────────────


def test_it_does_not_start_where_jobs_cannot_run(refused, tmp_path):
    assert str(tmp_path) in refused(rootfs=tmp_path)


def test_it_does_not_start_with_a_wrong_policy(refused, policies):
    directory = policies()
    (directory / "run.json").write_text("{")
    assert "run.json" in refused(policies=directory)


def test_it_does_not_start_without_the_policies_of_its_contracts(refused, policies):
    directory = policies()
    (directory / "execute.json").unlink()
    assert "execute" in refused(policies=directory)


def test_options_come_from_a_file_too_and_the_command_line_overrules_it(serve, tmp_path):
    path = tmp_path / "serve.conf"
    path.write_text("# a comment\njobs = 1\n\nqueue = 0\nlog-code = yes\n")
    server = serve(config=path, queue=1)
    held = server.hold().started()
    waits = server.send("POST", "/run", RUN)
    until(lambda: server.metric("sandbox_queue_length") == 1)
    assert server.post("/run", RUN).status == 503
    held.release()
    assert waits.answer().status == 200
    assert "print('RAN')" in json.dumps(server.log.jobs(2))


@pytest.mark.parametrize("line", ["nonsense = 1", "jobs = many", "jobs", "= 1", "jobs = 1 2"])
def test_a_wrong_line_in_the_file_is_named(refused, tmp_path, line):
    path = tmp_path / "serve.conf"
    path.write_text(f"queue = 5\n{line}\n")
    said = refused(config=path)
    assert str(path) in said and "2" in said


# ── systemd ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def manager(tmp_path):
    """In the place of systemd: a socket to which the service reports its state."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(tmp_path / "notify"))
        yield notify


def hear(manager, wanted):
    """Waits for a message with this line; all lines of it."""
    while True:
        lines = manager.recv(65536).decode().splitlines()
        if wanted in lines:
            return lines


@pytest.mark.parametrize("workers", [1, 2])
def test_systemd_is_told_ready_reloading_stopping(serve, manager, workers):
    server = serve(env={"NOTIFY_SOCKET": manager.getsockname()}, workers=workers)
    hear(manager, "READY=1")
    assert server.get("/health").status == 200
    server.signal(signal.SIGHUP)
    assert any(line.startswith("MONOTONIC_USEC=") for line in hear(manager, "RELOADING=1"))
    hear(manager, "READY=1")
    held = server.hold().started()
    server.signal(signal.SIGTERM)
    hear(manager, "STOPPING=1")
    held.release()
    assert server.wait() == 0


def test_systemds_watchdog_is_fed(serve, manager):
    serve(env={"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "200000"})
    hear(manager, "READY=1")
    for _ in range(3):
        hear(manager, "WATCHDOG=1")


def test_a_watchdog_that_is_anothers_is_not_fed(serve, manager):
    server = serve(env={"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1"})
    hear(manager, "READY=1")
    server.run("import time; time.sleep(0.5)")
    server.signal(signal.SIGTERM)
    said = []
    while "STOPPING=1" not in said:
        said += manager.recv(65536).decode().splitlines()
    assert "WATCHDOG=1" not in said
    assert server.wait() == 0


def test_jobs_know_nothing_of_the_manager(serve, manager):
    server = serve(env={"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "1000000"})
    assert "NOTIFY" not in server.run("import os; print(dict(os.environ))")["output"]

