"""The benchmark of many jobs at once works, says what it should, and believes no wrong answer. How fast anything is, is
no test's business."""

import pytest

FIGURES = ("cases", "one_connection", "two_connections")


@pytest.mark.long
def test_quick_run_reports_each_figure(bench):
    said, figures = bench("--scale")
    assert said.returncode == 0, said.stderr
    told = figures["scale"]
    for name in FIGURES:
        assert 0 < told[name]["min_ms"] <= told[name]["median_ms"] <= told[name]["p95_ms"]
    assert len(told["goals"]) == 2 and all(goal["goal"] in said.stdout for goal in told["goals"])


def test_a_service_that_does_not_answer_ends_it_without_figures(bench, pretended):
    said, figures = bench("--scale", build=pretended("sandbox-serve", "exit 3"))
    assert said.returncode == 1 and "sandbox-serve ended with 3" in said.stderr
    assert figures is None
