"""Bounds on what one client can take of the service, whichever policy it names."""

import re
import signal

import pytest

from http_client import bearer
from sandbox_serve import SANITIZED
from waiting import until

pytestmark = pytest.mark.cold

CONTRACTS = ("run", "run_code", "execute", "execute_script", "data", "judge")


def caps(server):
    return {policy["name"]: policy["caps"] for policy in server.get("/policies").json["policies"]}


def test_a_policy_made_for_the_command_line_gives_strangers_no_day(server):
    """Its caps allow 24 hours and 256 MiB of output: a slot of the service for a day, answers of gigabytes."""
    for limit, most in (("wall_time_ms", 600_000), ("output_bytes", 8 << 20), ("result_bytes", 8 << 20),
                        ("display_bytes", 8 << 20), ("collect_bytes", 32 << 20)):
        asked = {"code": "pass", "policy": "default", "limits": {limit: most + 1}}
        answer = server.post("/run", asked)
        assert answer.status == 400 and answer.field == f"limits.{limit}" and "default" in answer.error, answer
        assert caps(server)["default"][limit] == most
        asked["limits"][limit] = most
        assert server.post("/run", asked).status == 200


def test_a_refusal_names_the_services_bound_or_the_policys_cap_whichever_it_is(serve):
    server = serve(max_time="20s", max_output="1K", max_collect="2K")
    def refusal(path="/run", **asked):
        answer = server.post(path, {"code": "pass", **asked})
        assert answer.status == 400
        return answer.field, answer.error
    # run allows 10 seconds, below the service's bound; judge 60 and execute 60; judge's own limit is 30.
    for policy, asked, field, most, bound in (
            ("run", {"timeout": 11}, "timeout", "10 seconds", "caps.wall_time_ms"),
            ("judge", {"timeout": 31}, "timeout", "30 seconds", "--max-time"),
            ("judge", {"limits": {"wall_time_ms": 70_000}}, "limits.wall_time_ms", "30 seconds", "--max-time"),
            ("execute", {"timeout": 21}, "timeout", "20 seconds", "--max-time"),
            ("judge", {"limits": {"output_bytes": 1 << 30}}, "limits.output_bytes", "1 MiB", "--max-output"),
            ("judge", {"limits": {"result_bytes": 1 << 29}}, "limits.result_bytes", "1 MiB", "--max-output"),
            ("judge", {"limits": {"collect_bytes": 1 << 29}}, "limits.collect_bytes", "10 MiB", "--max-collect"),
            ("run", {"limits": {"pids": 1000}}, "limits.pids", "", "caps.pids")):
        named, said = refusal("/execute", **asked) if policy == "execute" else refusal(policy=policy, **asked)
        assert named == field and said.startswith(f"{field.removeprefix('limits.')} can't be "), said
        assert f"up to {most}" in said and f"({bound})" in said and said.count("(") == 1, said


def test_a_policy_made_for_the_command_line_is_not_offered_to_strangers(serve, token):
    """Its caps allow 64 CPUs and 64 GiB. It is for a token that is bound to it, or when the service is told."""
    text = {"any": token("any"), "bound": token("bound", policy="default")}
    server = serve(offer_default=False, tokens=token.file)

    def offered(name):
        return {policy["name"]: policy["available"] for policy in
                server.get("/policies", bearer(text[name])).json["policies"]}

    asked = {"code": "print(1)", "policy": "default"}
    answer = server.post("/run", asked, bearer(text["any"]))
    assert answer.status == 400 and answer.field == "policy" and "--offer-default" in answer.error, answer
    assert server.post("/run", asked, bearer(text["bound"])).json["output"] == "1"
    assert server.post("/run", {"code": "print(1)"}, bearer(text["any"])).json["output"] == "1"
    assert [offered("any")[name] for name in ("default", "run")] == [False, True]
    assert offered("bound") == {"default": True}
    server.signal(signal.SIGHUP)
    until(lambda: "read again" in str(server.log))
    assert server.post("/run", asked, bearer(text["any"])).status == 400


def test_caps_of_the_contracts_are_below_the_bounds(serve, server):
    unbounded = caps(serve(max_time="24h", max_output="256M", max_collect="1G"))
    assert {name: caps(server)[name] for name in CONTRACTS} == {name: unbounded[name] for name in CONTRACTS}
    assert unbounded["default"]["wall_time_ms"] == 24 * 3600 * 1000
    assert (caps(server)["default"]["collect_bytes"], unbounded["default"]["collect_bytes"]) == (32 << 20, 1 << 30)


def test_bounds_hold_after_a_reload_and_leave_a_policys_own_limits(serve):
    server = serve(max_time="5s", max_output="1K")
    def bounded():
        return (caps(server)["run"]["wall_time_ms"], caps(server)["execute_script"]["wall_time_ms"],
                caps(server)["default"]["output_bytes"])
    limits = {policy["name"]: policy["limits"] for policy in server.get("/policies").json["policies"]}
    assert bounded() == (limits["run"]["wall_time_ms"], limits["execute_script"]["wall_time_ms"],
                         limits["default"]["output_bytes"])
    assert limits["run"]["wall_time_ms"] == 10_000
    before = bounded()
    server.signal(signal.SIGHUP)
    until(lambda: "read again" in str(server.log))
    assert bounded() == before


def test_answers_that_nobody_reads_take_no_more_than_their_share_of_memory(serve):
    """Control characters are six times as long in JSON: what 4 MiB of stdout and of stderr become, told twice each.
    Who has left such an answer lying longest loses it, where no disk can keep it; who takes it gets all of it."""
    code = ("import os\nfor number in range(8): os.write(1 + number % 2, b'\\1' * (1 << 20))\n"
            "raise SystemExit(1)")
    def takes_less_than(size):  # a sanitizer keeps what was freed
        return SANITIZED or server.metric("sandbox_resident_memory_bytes") - small < size

    server = serve(jobs=1, upload_dir="/dev/shm")
    asked = {"code": code, "policy": "execute", "limits": {"output_bytes": 4 << 20}}
    small = server.metric("sandbox_resident_memory_bytes")
    holders = []
    for _ in range(6):
        holders.append(server.send("POST", "/run", asked))
        server.log.jobs(len(holders))
    assert server.run("print('free')")["output"] == "free"
    until(lambda: takes_less_than(300 << 20))
    assert len(holders[-1].answer().json["stdout"]) == 4 << 20
    assert cut_off(holders[0])
    for holder in holders:
        holder.close()
    until(lambda: takes_less_than(100 << 20))


def cut_off(connection):
    try:
        head, _, body = connection.rest().partition(b"\r\n\r\n")
    except OSError:
        return True
    return len(body) < int(re.search(rb"Content-Length: (\d+)", head)[1])
