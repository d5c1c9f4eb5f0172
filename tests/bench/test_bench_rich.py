"""The benchmark of streams works, says what it should, and believes no wrong answer. How fast anything is, is no test's
business."""

import pytest

FIGURES = ("flush_stream", "flush_pipe", "whole", "first", "stream_end")


@pytest.mark.long
def test_quick_run_reports_each_figure(bench):
    said, figures = bench("--rich")
    assert said.returncode == 0, said.stderr
    told = figures["rich"]
    for name in FIGURES:
        assert 0 < told[name]["min_ms"] <= told[name]["median_ms"] <= told[name]["p95_ms"]
    assert told["first"]["median_ms"] < told["stream_end"]["median_ms"]
    assert len(told["goals"]) == 2 and all(goal["goal"] in said.stdout for goal in told["goals"])
    told = figures["bytes"]
    assert set(told["ways"]) == {"in, text", "in, form", "in, base64", "out, text", "out, base64"}
    assert all(figure["whole_ms"] > 0 for figure in told["ways"].values())
    assert set(told["copies"]) == {"out, text", "out, base64"} and all(figure > 0 for figure in told["copies"].values())
    assert told["uploads"]["lost"] == 0 and told["uploads"]["growth_bytes"] > 0, told["uploads"]
    assert len(told["goals"]) == 9 and all(goal["goal"] in said.stdout for goal in told["goals"])


def test_a_service_that_does_not_answer_ends_it_without_figures(bench, pretended):
    said, figures = bench("--rich", build=pretended("sandbox-serve", "exit 3"))
    assert said.returncode == 1 and "sandbox-serve ended with 3" in said.stderr
    assert figures is None
