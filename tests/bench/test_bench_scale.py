"""The benchmark of many jobs at once works, says what it should, and believes no wrong answer. How fast anything is, is
no test's business."""

import pytest

import measure
from service import STARTS
from stored import STORES, check, goals

FIGURES = ("cases", "one_connection", "two_connections")


@pytest.mark.long
def test_quick_run_reports_each_figure(bench):
    said, figures = bench("--scale")
    assert said.returncode == 0, said.stderr
    told = figures["scale"]
    for name in FIGURES:
        assert 0 < told[name]["min_ms"] <= told[name]["median_ms"] <= told[name]["p95_ms"]
    stored, costs = told["stored"], told["costs"]
    assert stored["absent"] == {}, "redis-server and haproxy are part of the test"
    for name in ("direct", "beside", "haproxy", *STORES):
        assert 0 < stored["alone"][name]["p50_ms"] <= stored["alone"][name]["p99_ms"]
    for name in ("direct", "nodes", *STORES):
        assert 0 < stored["batches"][name]["median"] <= stored["batches"][name]["best"]
    promised = told["goals"] + stored["goals"]
    assert len(promised) == 2 + 6 and all(goal["goal"] in said.stdout for goal in promised)
    assert all(costs["cpu_a_job_ms"][start] > 0 for start in STARTS)
    for store in ("sqlite", "redis"):
        assert costs[store]["waits_bytes"] > 0 and costs[store]["ended_bytes"] > 0


def test_a_service_that_does_not_answer_ends_it_without_figures(bench, pretended):
    said, figures = bench("--scale", build=pretended("sandbox-serve", "exit 3"))
    assert said.returncode == 1 and "sandbox-serve ended with 3" in said.stderr
    assert figures is None


@pytest.mark.parametrize("answer", [{"stdout": "2\n"}, {"stdout": ""}, {"error": "the host is busy"}])
def test_a_wrong_output_counts_for_nothing(answer):
    with pytest.raises(measure.Wrong):
        check(answer, 1)


@pytest.mark.parametrize("added_ms, share, met", [(0.1, 0.95, True), (1.1, 0.85, False)])
def test_goals_are_judged_by_the_figures(added_ms, share, met):
    rows = {name: {"added_p50_ms": added_ms} for name in (*STORES, "haproxy")}
    told = {"alone": {"direct": {"p50_ms": 6.0}, "beside": {"added_p50_ms": added_ms}, **rows},
            "batches": {"nodes": {}}, "nodes_share": share}
    assert [goal_met for _, _, goal_met in goals(told)] == 6 * [met]
