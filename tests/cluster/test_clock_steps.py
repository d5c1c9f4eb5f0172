"""Somebody sets a clock while stored jobs wait and run: a node's, that of the host with the SQLite file, Redis'. Each job
that was accepted has its one answer, and no job is given up."""

import datetime

import pytest

from shared_jobs import HeldJob, ended, let_go, submit
from stepped_clock import HOUR
from waiting import until

pytestmark = pytest.mark.cold
JOBS = 30  # before each step
STEPS = pytest.mark.parametrize("step", [HOUR, -HOUR], ids=["forwards", "back"])
KEEP = "3h"  # answers, longer than a step


def seconds(time):
    return datetime.datetime.fromisoformat(time).timestamp()


def many(cluster, step):
    """Jobs before a step of a clock, which comes while they wait and run, and after it. Each has its one right answer,
    on each node. Returns the jobs in their order."""
    def accept(first):
        numbers = range(first, first + JOBS)
        return {submit(cluster.nodes[number % 2], f"print({number})"): f"{number}\n" for number in numbers}

    accepted = accept(0)
    until(lambda: any(node.ran(number) for number in accepted for node in cluster.nodes))
    step()
    accepted |= accept(JOBS)
    found = [ended(cluster.nodes[at % 2], number) for at, number in enumerate(accepted)]
    for each in found:
        assert (each["state"], each["answer"]["stdout"]) == ("done", accepted[each["id"]]), each
        assert ended(cluster.nodes[0], each["id"]) == ended(cluster.nodes[1], each["id"]) == each
    return found


def all_run_once(cluster, clocks, step):
    """Many short jobs, and two that run from before the step until after all others. Returns the short ones."""
    held = [HeldJob(cluster) for _ in range(2)]
    found = many(cluster, lambda: [clock.step(step) for clock in clocks])
    assert {each["tries"] for each in found} == {1}
    for each in held:
        let_go(each)
    return found


def saw(found, step):
    """The store's clock was set between these jobs."""
    assert abs(seconds(found[JOBS]["created"]) - seconds(found[0]["created"]) - step) < HOUR / 2


@STEPS
def test_jobs_in_sqlite_run_once_though_the_hosts_clock_is_set(cluster, tmp_path, step):
    cluster = cluster(store=f"sqlite:{tmp_path}/jobs.db", jobs=3, result_ttl=KEEP, clocks=True)
    saw(all_run_once(cluster, [node.clock for node in cluster.nodes], step), step)


@STEPS
def test_a_node_with_redis_may_have_any_clock(shared, step):
    cluster = shared(jobs=3, clocks=True)
    found = all_run_once(cluster, [cluster.nodes[0].clock], step)
    saw(found, 0)
    times = [seconds(node.log.records[-1]["time"]) for node in cluster.nodes]
    assert abs(times[0] - times[1] - step) < HOUR / 2, "the node's clock was not set"


@STEPS
def test_jobs_in_redis_run_once_though_its_clock_is_set(shared, step):
    cluster = shared(jobs=3, clocks=True, result_ttl=KEEP)
    saw(all_run_once(cluster, [cluster.redis.clock], step), step)


@STEPS
def test_a_job_whose_node_died_before_redis_clock_was_set_runs_again(shared, step):
    cluster = shared(clocks=True, result_ttl=KEEP)
    held = HeldJob(cluster)
    victim, survivor = held.node(), held.elsewhere()
    victim.kill()
    cluster.redis.clock.step(step)
    until(lambda: survivor.has(held))
    let_go(held, tries=2, asked=survivor)


@STEPS
def test_a_node_that_is_alone_goes_on_though_redis_clock_is_set(shared, step):
    cluster = shared(nodes=1, clocks=True, result_ttl=KEEP, tries=1)
    held = HeldJob(cluster)
    cluster.redis.clock.step(step)
    number = submit(cluster.nodes[0], "print('next')")
    assert ended(cluster.nodes[0], number)["answer"]["output"] == "next"
    assert len(held.pids()) == 1
    let_go(held)


@pytest.mark.parametrize("fields", [{}, {"cases": [{}] * 2}], ids=["job", "cases"])
def test_a_job_that_its_node_is_given_again_runs_there_once(shared, fields):
    cluster = shared(nodes=1, jobs=6, clocks=True, lease="1h", result_ttl=KEEP)
    held = HeldJob(cluster, **fields)
    first = held.pids()
    cluster.redis.clock.step(1.5 * HOUR)  # less than two leases: as if the node had not renewed it
    submit(cluster.nodes[0], "print('the node looks for jobs')")
    until(lambda: held.pids() - first)
    until(lambda: not held.pids() & first)
    let_go(held, tries=2)


def test_an_answer_expires_by_the_stores_clock(shared):
    cluster = shared(nodes=1, clocks=True)
    number = submit(cluster.nodes[0], "print('soon gone')")
    assert ended(cluster.nodes[0], number)["state"] == "done"
    cluster.redis.clock.step(2 * HOUR)
    until(lambda: cluster.nodes[0].get(f"/jobs/{number}").status == 404)
