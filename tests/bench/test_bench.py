"""The benchmark works, says what it should, and believes no contestant that gives a wrong answer. No test depends
on how fast anything is."""

import os

import pytest

import contestants
import measure

FEW = ("--only", "floor", "--only", "sandbox-run")


def fake(tmp_path, text, name="fake"):
    script = tmp_path / name
    script.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    script.chmod(0o755)
    return str(script)


def contestant(argv, **more):
    return contestants.Contestant("fake", contestants.PYTHON, argv, **more)


# ── The whole ────────────────────────────────────────────────────────────────────────────────────

@pytest.mark.long
def test_quick_run_reports_every_contestant_in_both_modes_the_machine_and_sandbox_run_itself(bench):
    said, figures = bench(*FEW)
    assert said.returncode == 0, said.stderr
    seen = {(row["name"], row["program"], row["mode"]) for row in figures["results"]}
    programs = {row["program"] for row in figures["results"]}
    assert contestants.PYTHON in programs
    for mode in ("back-to-back", "after-idle"):
        for program in programs:
            for name in ("bare", "floor", "sandbox-run"):
                assert (name, program, mode) in seen
        assert ("sandbox-run FILE", contestants.PYTHON, mode) in seen
    for row in figures["results"]:
        assert 0 < row["min_ms"] <= row["p5_ms"] <= row["median_ms"] <= row["p95_ms"]
        assert row["runs"] == (2 if row["mode"] == "back-to-back" else 1)
        assert row["name"] != "bare" or row["over_bare_ms"] == 0
    assert figures["machine"]["cores"] == os.cpu_count()
    assert figures["machine"]["kernel"] == os.uname().release
    own = figures["sandbox_run"]
    assert own["layers"]["cgroup"] in ("v1", "v2")
    assert own["before_clone_us"]["sandbox_run"] > 0
    assert own["memory_kib"]["VmHWM"] > 0
    told = {goal["goal"] for goal in figures["goals"]}
    assert any("over bare" in goal for goal in told) and any("before clone" in goal for goal in told)
    for name in ("bare", "floor", "sandbox-run", "back-to-back", "after-idle", figures["machine"]["cpu"]):
        assert name in said.stdout


def test_a_wrong_answer_ends_the_benchmark_without_figures(bench, tmp_path):
    said, figures = bench(*FEW, "--also", f"liar={fake(tmp_path, 'echo 2')}")
    assert said.returncode == 1
    assert "liar" in said.stderr and "wrong answer" in said.stderr
    assert figures is None


def test_a_further_contestant_with_the_right_answer_is_measured(bench, tmp_path):
    said, figures = bench(*FEW, "--also", f"honest={fake(tmp_path, 'echo 1')}")
    assert said.returncode == 0, said.stderr
    assert "honest" in {row["name"] for row in figures["results"]}


def test_a_sandbox_that_lacks_a_layer_is_not_measured(bench, pretended):
    """A sandbox-run that goes without a cgroup would be faster, and would not be what is promised."""
    said, figures = bench(*FEW, build=pretended("sandbox-run", 'exec {real} --best-effort --cgroup none "$@"'))
    assert said.returncode == 1
    assert "no cgroup" in said.stderr
    assert figures is None


# ── Its parts ────────────────────────────────────────────────────────────────────────────────────

@pytest.mark.parametrize("text, problem", [
    ("echo 1; exit 3", "exit status 3"),
    ("printf 1", "stdout b'1'"),
    ("echo 1; echo 1", "stdout b'1\\n1\\n'"),
    ("echo 1; kill -9 $$", "signal 9"),
])
def test_every_way_of_being_wrong_is_told(helpers, tmp_path, text, problem):
    with pytest.raises(measure.Wrong, match="fake") as raised:
        list(measure.rounds(helpers["spawn_time"], [contestant([fake(tmp_path, text)])], 1))
    assert problem in str(raised.value)


def test_what_a_wrong_contestant_said_on_stderr_is_told(helpers, tmp_path):
    argv = [fake(tmp_path, "echo because >&2; exit 1")]
    assert "because" in measure.works(helpers["spawn_time"], contestant(argv))


def test_a_program_that_is_not_there_is_a_wrong_answer(helpers):
    assert measure.works(helpers["spawn_time"], contestant(["/nonexistent"])) is not None


def test_contestants_take_turns_and_each_start_has_its_number(helpers, tmp_path):
    log = tmp_path / "log"
    runs = [contestant([fake(tmp_path, f'echo {name} "$1" >>{log}; echo 1', name), "n@N@n"])
            for name in ("a", "b", "c")]
    order = [c for c, *_ in measure.rounds(helpers["spawn_time"], runs, 4)]
    lines = [line.split() for line in log.read_text().splitlines()]
    assert [number for _, number in lines] == [f"n{i}n" for i in range(12)]
    for start in range(0, 12, 3):
        assert {name for name, _ in lines[start:start + 3]} == {"a", "b", "c"}
        assert {id(c) for c in order[start:start + 3]} == {id(c) for c in runs}


def test_a_contestant_gets_its_environment_its_file_and_nothing_else(helpers, tmp_path):
    given = tmp_path / "given"
    given.write_text("text", encoding="utf-8")
    text = '[ "$(cat <&9)" = text ] && [ "$ONLY" = yes ] && [ -z "$HOME" ] && [ ! -e /proc/$$/fd/8 ] && echo 1'
    one = contestant([fake(tmp_path, text)], env={"ONLY": "yes", "PATH": os.defpath}, file=str(given))
    assert measure.works(helpers["spawn_time"], one) is None


def test_differences_are_those_of_the_same_round(monkeypatch):
    """Rounds that are slow as a whole change neither contestant's difference to bare."""
    bare, other = (contestants.Contestant(name, contestants.PYTHON, []) for name in ("bare", "other"))
    rounds = [(10, 12), (100, 102), (10, 12)]
    monkeypatch.setattr(measure, "rounds", lambda *_: [
        (who, ms * 1000000, 0, 0) for pair in rounds for who, ms in zip((bare, other), pair)])
    rows = {row["name"]: row for row in measure.measure("", [bare, other], 3, 0)}
    assert rows["bare"]["over_bare_ms"] == 0
    assert rows["other"]["over_bare_ms"] == 2
    assert rows["other"]["median_ms"] == 12 and rows["other"]["p95_ms"] == 102


@pytest.mark.long
def test_the_services_benchmark_reports_all_that_it_promises(bench):
    said, figures = bench("--http")
    assert said.returncode == 0, said
    report = figures["service"]
    for start in ("cold", "warm"):
        assert report["added"][start]["rounds"] == 10
        throughput = report["throughput"][start]
        assert throughput["service"]["ok"] > 0 and throughput["library"] > 0
    assert report["growth"]["then_after"] >= 100
    assert len(report["beside_large"]) == 6 and all(longest > 0 for longest in report["beside_large"].values())
    assert report["sleeping"]["at_once"] == report["sleeping"]["jobs"] == 20
