"""Evidence in answers: refused calls that a policy reports, and what a flood of them costs others."""

import pytest


TRY = """
import socket
for family in (socket.AF_NETLINK, socket.AF_PACKET, socket.AF_NETLINK):
    try: socket.socket(family, socket.SOCK_RAW)
    except OSError as error: print(error.errno)
def main(): return 1
"""
DENIED = [{"call": "socket(AF_NETLINK)", "count": 2}, {"call": "socket(AF_PACKET)", "count": 1}]
FLOOD = """
import socket
print("started", flush=True)
while True:
    try: socket.socket(socket.AF_VSOCK)
    except OSError: pass
"""


@pytest.mark.parametrize("policy", ["run", "default"])
def test_the_page_and_the_default_policy_name_what_was_refused(server, policy):
    for _ in range(5):  # cold and warm
        answer = server.run(TRY, policy=policy)
        assert (answer["output"], answer["denied"]) == ("97\n97\n97", DENIED)


def test_an_answer_without_evidence_has_no_such_field(server):
    assert "denied" not in server.run("import subprocess; subprocess.run(['true'])", policy="default")


@pytest.mark.parametrize("path,field", [("/run_code", "code"), ("/execute", "code"), ("/execute", "script")])
def test_the_small_contracts_stay_as_they_are(server, path, field):
    answer = server.post(path, {field: TRY})
    assert answer.status == 200 and "denied" not in answer.json
    assert answer.json.keys() == server.post(path, {field: "def main(): return 1"}).json.keys()


def test_the_log_names_them_too(serve):
    server = serve()
    server.run(TRY)
    server.run("pass")
    first, second = server.log.jobs(2)
    assert (first["denied"], second["denied"]) == ("socket(AF_NETLINK), socket(AF_PACKET)", None)


def test_a_flood_has_its_evidence_and_its_end(server):
    answer = server.run(FLOOD, timeout=1)
    assert answer["verdict"] == "timeout"
    (entry,) = answer["denied"]
    assert entry["call"] == "socket(AF_VSOCK)" and entry["count"] > 100


@pytest.mark.alone
def test_all_floods_together_get_no_more_answers_than_one(serve):
    """What each costs the service is some microseconds: so the service is there for the others."""
    server = serve(jobs=4)
    requests = [server.send("POST", "/run", {"code": FLOOD, "timeout": 3}) for _ in range(4)]
    answers = [request.answer().json for request in requests]
    assert {answer["verdict"] for answer in answers} == {"timeout"}
    counts = [answer["denied"][0]["count"] for answer in answers]
    most = max(answer["usage"]["wall_time_ms"] for answer in answers)
    assert min(counts) > 0 and sum(counts) <= 2 * 256 + 2.2 * most  # the first of them began alone


@pytest.mark.alone
def test_many_jobs_with_a_few_refused_calls_each_get_no_more(serve):
    server = serve(jobs=4)
    code = FLOOD.replace("while True", "for _ in range(100)")
    answers = [server.run(code) for _ in range(30)]
    assert {answer["denied"][0]["count"] for answer in answers} == {100}
    assert sum(answer["usage"]["wall_time_ms"] for answer in answers) >= (30 * 100 - 2 * 256) / 2.2
    assert server.run("print(1)")["output"] == "1"
