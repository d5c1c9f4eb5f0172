"""A policy is not offered if its jobs could not import what it preloads: from the first request on, with the reason. If
interpreters are only not ready for a while, it is offered, and its jobs start cold."""

import os
import signal

import pytest

from processes import describe
from sandbox_serve import command
from waiting import until

NOBODY_HAS = ["json", "no_such_module", "no_such.package", "json.tool"]
CODE = {"code": "print('ran')"}


def state(server, name):
    return {policy["name"]: policy for policy in server.get("/policies").json["policies"]}[name]


def ask(server, name="run_code"):
    return server.post("/run", {**CODE, "policy": name})


@pytest.mark.parametrize("cold", [False, True])
def test_a_policy_whose_modules_nobody_has_is_not_offered_from_the_first_request_on(serve, policies, cold):
    server = serve(policies=policies(run_code={"preload": NOBODY_HAS}), cold=cold)
    answer = ask(server)
    assert answer.status == 400 and answer.field == "policy"
    for told in (answer.error, state(server, "run_code")["reason"]):
        assert "no_such_module, no_such:" in told and "json" not in told
        assert "sandbox-rootfs build --with python3-no_such_module,python3-no_such DIR" in told
    assert state(server, "run_code")["available"] is False
    assert (state(server, "run")["available"], state(server, "run")["reason"]) == (True, None)
    assert server.run("print('mine')")["output"] == "mine"
    assert server.get("/health").json == {"status": "healthy"}
    said = server.log.all(lambda record: "not offered" in record.get("message", ""))
    assert [record["level"] for record in said if "run_code" in record["message"]] == ["warning"]


def test_an_endpoint_whose_policy_is_not_offered_says_so_as_a_failure_of_the_service(serve, policies):
    server = serve(policies=policies(run_code={"preload": ["no_such_module"]}))
    answer = server.post("/run_code", CODE)
    assert answer.status == 500 and "no_such_module" in answer.json["error"]
    assert server.post("/execute", CODE).json["output"] == "ran"


def test_nothing_is_started_again_and_again_for_modules_that_nobody_has(serve, policies):
    server = serve(policies=policies(run_code={"preload": ["no_such_module"]}))
    until(lambda: server.metric("sandbox_warm_zygotes") >= 4)
    assert "no_such_module" not in str(describe(server.processes()))


@pytest.fixture
def modules(policies, tmp_path):
    """modules(name, code) puts a module where jobs of the policy run_code find it, which preloads it."""
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    mounted.chmod(0o755)

    def put(name, code):
        (mounted / f"{name}.py").write_text(code + "\n")
        return policies(run_code={"preload": [name], "environment": {"PYTHONPATH": "/mnt"},
                                  "mounts": [{"source": str(mounted), "target": "/mnt"}]})

    return put


def test_a_module_that_is_there_by_the_policys_own_mounts_is_found(serve, modules):
    server = serve(policies=modules("mine", "answer = 42"))
    assert state(server, "run_code")["available"] is True
    assert server.run("import mine; print(mine.answer)", policy="run_code")["output"] == "42"


BROKEN = {
    "ImportError": "raise ImportError('libopenblas.so.0: cannot open shared object file')",
    "ModuleNotFoundError": "import no_such_module",
    "SyntaxError": "def",
    "ZeroDivisionError": "print('before'); 1 / 0",
}


@pytest.mark.parametrize("error", BROKEN)
def test_a_module_that_cannot_be_imported_takes_its_policy_away_until_it_can(serve, modules, error):
    server = serve(policies=modules("broken", BROKEN[error]))
    until(lambda: not state(server, "run_code")["available"])
    told = state(server, "run_code")["reason"]
    assert "broken" in told and error in told
    answer = ask(server)
    assert answer.status == 400 and answer.field == "policy" and error in answer.error
    server.log.wait(lambda record: "not offered for now" in record.get("message", "") and error in record["message"])
    modules("broken", "")
    until(lambda: ask(server).status == 200 and ask(server).json["enforcement"]["start"] == "warm")
    assert state(server, "run_code")["available"] is True


@pytest.mark.parametrize("code", ["raise MemoryError", "raise OSError(24, 'Too many open files')",
                                  "import os; os._exit(3)", "import os; os.abort()"])
def test_what_fails_for_another_reason_leaves_its_policy_a_cold_start(serve, modules, code):
    server = serve(policies=modules("short", code))
    server.log.wait(lambda record: "start cold for now" in record.get("message", ""))
    answer = ask(server)
    assert answer.status == 200 and answer.json["enforcement"]["start"] == "cold"
    assert state(server, "run_code")["available"] is True


def test_a_reload_looks_again(serve, policies, tmp_path):
    server = serve(policies=policies())
    assert ask(server).status == 200
    policies(run_code={"preload": ["no_such_module"]})
    server.signal(signal.SIGHUP)
    until(lambda: ask(server).status == 400)
    policies(run={"description": "changed"}, run_code={"preload": ["no_such_module"], "description": "changed"})
    server.signal(signal.SIGHUP)
    until(lambda: state(server, "run")["description"] == "changed")
    assert ask(server).status == 400  # at once: what was known is not forgotten
    policies(run_code={"preload": ["json"]})
    server.signal(signal.SIGHUP)
    until(lambda: ask(server).status == 200)
    assert state(server, "run_code")["available"] is True


def test_stopped_while_it_looks_it_leaves_nothing(launch, policies):
    for _ in range(5):
        server = launch(command(policies=policies(run_code={"preload": NOBODY_HAS}))).listening()
        server.signal(signal.SIGHUP)
        server.stop()


def test_the_policy_data_is_offered_where_its_modules_are(serve):
    rootfs = os.environ.get("SANDBOX_ROOTFS_DATA")
    if not rootfs:
        pytest.skip("SANDBOX_ROOTFS_DATA is not set: no root file system with numpy and the like")
    server = serve(rootfs=rootfs)
    assert state(server, "data")["available"] is True
    sums = {"code": "import numpy; print(numpy.arange(5).sum())", "policy": "data"}
    until(lambda: server.post("/run", sums).json["enforcement"]["start"] == "warm")
    assert server.post("/run", sums).json["output"] == "10"
