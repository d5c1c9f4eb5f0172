"""Policy files: what is wrong in one is named, and the policies of the contracts keep them."""

import json
import os
import pathlib

import pytest

from sandbox_run import refused

POLICIES = pathlib.Path(os.environ.get("SANDBOX_POLICIES", "/usr/share/sandbox-run/policies"))
MIB = 1 << 20


# ── Errors ───────────────────────────────────────────────────────────────────────────────────────


def test_an_unknown_policy_is_named_with_those_that_there_are(run):
    refused(run("--policy", "no-such", code="print(1)"), "no-such", "default", "run")


def test_a_policy_file_that_is_missing_is_named(run, tmp_path):
    refused(run("--policy", tmp_path / "no.json", code="print(1)"), tmp_path / "no.json")


def test_a_policys_file_name_is_not_its_name(run, tmp_path):
    refused(run("--policy", "run.json", code="print(1)", cwd=tmp_path), "no file run.json", "give run")
    refused(run("--policy", "no-such.json", code="print(1)", cwd=tmp_path), "no-such.json")
    (tmp_path / "run.json").write_text((POLICIES / "run.json").read_text())
    assert run("--policy", "run.json", code="print(1)", cwd=tmp_path).stdout == "1\n"


@pytest.mark.parametrize("name", ["../default", "seccomp/default", "", ".", ".."])
def test_a_name_that_is_a_path_is_not_looked_for_among_the_policies(run, name):
    refused(run("--policy", name, code="print(1)"))


def test_a_policy_that_is_a_directory_or_a_device_is_refused(run, tmp_path):
    (tmp_path / "dir.json").mkdir()
    refused(run("--policy", tmp_path / "dir.json", code="print(1)"), "dir.json")
    refused(run("--policy", "/dev/zero", code="print(1)"), "/dev/zero")
    os.mkfifo(tmp_path / "fifo.json")
    refused(run("--policy", tmp_path / "fifo.json", code="print(1)"), "fifo.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{} {}", '{"limits": }', "{'a': 1}",
                                  '{"limits": {"pids": 1e999}}', "\xff", "[" * 100000])
def test_a_policy_that_is_no_json_object_is_named(run, tmp_path, text):
    (tmp_path / "broken.json").write_text(text, "latin-1")
    refused(run("--policy", tmp_path / "broken.json", code="print(1)"), "broken.json")


def test_an_error_of_syntax_names_the_line(run, tmp_path):
    (tmp_path / "broken.json").write_text('{\n  "description": "x",\n  "limits": {,}\n}\n')
    refused(run("--policy", tmp_path / "broken.json", code="print(1)"), "broken.json", "line 3")


@pytest.mark.parametrize("key,where", [
    ("memory", "limits"), ("wall_time", "limits"), ("PIDS", "limits"), ("memory", "caps"),
    ("network", None), ("Limits", None), ("source_path", "mounts")])
def test_an_unknown_key_is_named_with_its_file_and_those_that_are_allowed(run, policy, key, where):
    if where == "limits":
        path = policy(limits={key: 1})
    elif where == "caps":
        path = policy(caps={key: 1})
    elif where == "mounts":
        path = policy(mounts=[{"source": "/usr", "target": "/opt", key: "x"}])
    else:
        path = policy(**{key: 1})
    refused(run("--policy", path, code="print(1)"), path.name, key)


def test_a_key_that_stands_twice_is_refused(run, tmp_path, default_policy):
    text = json.dumps(default_policy)
    (tmp_path / "twice.json").write_text('{"proc": "masked", ' + text[1:])
    refused(run("--policy", tmp_path / "twice.json", code="print(1)"), "twice.json", "proc")


@pytest.mark.parametrize("key,value", [
    ("wall_time_ms", 0), ("wall_time_ms", -1), ("wall_time_ms", "10 s"), ("wall_time_ms", None),
    ("wall_time_ms", 1 << 62), ("wall_time_ms", 1e30), ("cpu_time_ms", True), ("memory_bytes", 1),
    ("memory_bytes", "128M"), ("memory_bytes", 1.5), ("cpus", 0), ("cpus", -0.5), ("cpus", "1"),
    ("cpus", 100000), ("pids", 0), ("pids", [64]), ("pids", 1 << 40), ("output_bytes", -1),
    ("open_files", 0), ("open_files", 1 << 40), ("tmp_bytes", -1), ("tmp_files", -1),
    ("code_chars", -1), ("result_bytes", {})])
def test_a_limit_of_a_wrong_type_or_out_of_range_is_named_with_what_is_allowed(
        run, policy, default_policy, key, value):
    path = policy()
    text = json.loads(path.read_text())
    text["limits"][key] = value
    path.write_text(json.dumps(text))
    refused(run("--policy", path, code="print(1)"), path.name, key)


@pytest.mark.parametrize("key,value,allowed", [
    ("proc", "full", "subset"), ("proc", 1, "string"), ("output", "drop", "truncate"),
    ("output_buffering", "full", "block"), ("output_buffering", True, "string"),
    ("enforcement", "lax", "best-effort"), ("start", "hot", "warm"), ("preload", "os", "array"),
    ("writable", "yes", "true"), ("writable", 1, "true"),
    ("loopback", "up", "true"), ("environment", ["A=1"], "object"), ("environment", "A=1", ""),
    ("environment", {"A": 1}, "A"), ("environment", {"A=B": "1"}, "A=B"),
    ("environment", {"": "1"}, ""),
    ("environment", {"A": "x\0y"}, "A"), ("mounts", {}, ""), ("mounts", ["/srv"], ""),
    ("mounts", [{"source": "/srv"}], "target"), ("mounts", [{"target": "/opt"}], "source"),
    ("mounts", [{"source": "srv", "target": "/opt"}], "source"),
    ("mounts", [{"source": "/usr", "target": "mnt"}], "target"),
    ("mounts", [{"source": "/usr", "target": "/opt/../etc"}], "target"),
    ("description", 5, ""), ("seccomp", 5, ""), ("limits", [], "")])
def test_a_key_of_a_wrong_type_or_value_is_named_with_what_is_allowed(
        run, policy, key, value, allowed):
    path = policy()
    text = json.loads(path.read_text())
    text[key] = value
    path.write_text(json.dumps(text))
    refused(run("--policy", path, code="print(1)"), path.name, key, allowed)


def test_preload_without_a_warm_start_is_refused(run, policy):
    path = policy(start="cold", preload=["os"])
    refused(run("--policy", path, code="print(1)"), path.name, "preload", "warm")


def test_a_cap_below_its_limit_is_named(run, policy):
    path = policy(limits={"pids": 50}, caps={"pids": 20})
    refused(run("--policy", path, code="print(1)"), path.name, "pids")


def test_an_unknown_seccomp_profile_is_named(run, policy, tmp_path):
    refused(run("--policy", policy(seccomp="no-such"), code="print(1)"), "no-such")
    path = str(tmp_path / "none.json")
    refused(run("--policy", policy(seccomp=path), code="print(1)"), path)


PROFILE = {"description": "x", "architectures": ["x86_64", "aarch64"], "default": "ENOSYS",
           "groups": [{"why": "x", "action": "allow", "calls": ["read"]}]}


@pytest.mark.parametrize("change,word", [
    ({"default": "EWRONG"}, "EWRONG"), ({"extra": 1}, "extra"),
    ({"architectures": ["z80"]}, "x86_64"),
    ({"groups": [{"why": "x", "action": "allow", "calls": ["no_such_call"]}]}, "no_such_call"),
    ({"groups": [{"why": "x", "action": "perhaps", "calls": ["read"]}]}, "perhaps"),
    ({"groups": [{"action": "allow", "calls": ["read"]}]}, "why"),
    ({"groups": [{"why": "x", "action": "allow", "calls": ["read"],
                  "when": [{"arg": 6, "equals": 0}]}]}, "arg"),
    ({"groups": [{"why": "x", "action": "allow", "calls": ["read"],
                  "when": [{"arg": 0, "roughly": 0}]}]}, "roughly"),
    ({"groups": "all"}, "groups"),
])
def test_a_mistake_in_a_seccomp_profile_is_named(run, policy, tmp_path, change, word):
    path = tmp_path / "profile.json"
    path.write_text(json.dumps({**PROFILE, **change}))
    refused(run("--policy", policy(seccomp=str(path)), code="print(1)"), "profile.json", word)


def test_a_seccomp_profile_of_ones_own_is_in_force(run, policy, tmp_path):
    profile = json.loads((POLICIES / "seccomp" / "default.json").read_text())
    for group in profile["groups"]:
        group["calls"] = [call for call in group["calls"] if call != "getpriority"]
    profile["groups"] = [group for group in profile["groups"] if group["calls"]]
    profile["groups"].append({"why": "test", "action": "EDOM", "calls": ["getpriority"]})
    (tmp_path / "own.json").write_text(json.dumps(profile))
    ran = run("--policy", policy(seccomp=str(tmp_path / "own.json")), code="""
        import os
        try:
            os.getpriority(os.PRIO_PROCESS, 0)
        except OSError as error:
            print(error.errno)
        """)
    assert ran.stdout == "33\n", ran


def test_a_mount_whose_source_or_target_is_missing_is_named(run, policy):
    path = policy(mounts=[{"source": "/no/such/source", "target": "/opt"}])
    refused(run("--policy", path, code="print(1)"), "/no/such/source")
    path = policy(mounts=[{"source": "/usr", "target": "/no/such/target"}])
    refused(run("--policy", path, code="print(1)"), "/no/such/target", "refresh --force")


def test_a_missing_directory_of_policies_is_named(run, tmp_path):
    ran = run(code="print(1)", env={"SANDBOX_POLICIES": str(tmp_path / "none")})
    refused(ran, tmp_path / "none")


def test_policies_are_taken_from_the_directory_of_the_environment(run, tmp_path, default_policy):
    (tmp_path / "seccomp").symlink_to(POLICIES / "seccomp")
    mine = {key: value for key, value in default_policy.items() if key != "name"}
    for name in ("mine", "default"):
        (tmp_path / f"{name}.json").write_text(json.dumps({**mine, "description": "of my own"}))
    where = {"SANDBOX_POLICIES": str(tmp_path)}
    assert run("--policy", "mine", code="print('ran')", env=where).stdout == "ran\n"
    assert "of my own" in run("--list-policies", env=where).stdout


@pytest.mark.parametrize("path", sorted(POLICIES.glob("*.json")), ids=lambda path: path.stem)
def test_every_policy_that_is_shipped_runs_a_script(run, path):
    ran = run("--policy", path.stem, json=True, code="print('ran')")
    assert (ran.status, ran.verdict["output"]) == (0, "ran"), ran
    described = json.loads(path.read_text())["description"]
    assert len(described) > 10


# ── The contracts' own examples ──────────────────────────────────────────────────────────────────


def contract(run, name, code, *options):
    if not (POLICIES / f"{name}.json").exists():
        pytest.fail(f"there is no policy {name}")
    return run("--policy", name, *options, json=True, code=code)


@pytest.mark.cold
@pytest.mark.parametrize("code,output", [
    ("print('Hello World')", "Hello World"),
    ("print(2 + 2)", "4"),
    ("for i in range(5): print(i)", "0\n1\n2\n3\n4"),
])
def test_contract_c_prints(run, code, output):
    ran = contract(run, "run", code)
    assert (ran.verdict["status"], ran.verdict["output"]) == ("success", output)
    assert ran.verdict["stdout"] == output + "\n"


@pytest.mark.cold
def test_contract_c_has_ten_seconds_and_says_so_when_they_are_over(run):
    """The ten seconds themselves are waited for in http/test_contracts.py."""
    assert printed_limits(run, "run")["wall_time_ms"] == 10000
    ran = contract(run, "run", "while True: pass", "--timeout", "1")
    assert ran.verdict["status"] == "error"
    assert ran.verdict["error"] == "Execution timed out after 1 second"
    assert ran.status == 124


@pytest.mark.cold
def test_contract_c_names_the_memory_limit(run):
    ran = contract(run, "run", "x = 'a' * 1000000000")
    assert (ran.verdict["status"], ran.verdict["verdict"]) == ("error", "memory")
    assert "memory limit of 128 MiB" in ran.verdict["error"]


@pytest.mark.cold
def test_contract_c_has_no_network(run):
    ran = contract(run, "run", "import urllib.request as u; u.urlopen('http://192.0.2.1/')")
    assert (ran.verdict["status"], ran.verdict["verdict"]) == ("error", "exception")


@pytest.mark.cold
def test_contract_c_cannot_write_in_tmp(run):
    ran = contract(run, "run", "open('/tmp/test.txt','w')")
    assert (ran.verdict["status"], ran.verdict["verdict"]) == ("error", "exception")


@pytest.mark.cold
def test_contract_c_takes_5000_characters_of_code(run):
    fits = "#" * 4991 + "\nprint(1)"
    assert len(fits) == 5000
    assert contract(run, "run", fits).verdict["output"] == "1"
    ran = contract(run, "run", "#" + fits)
    assert ran.status == 125 and "5000" in ran.stderr + ran.stdout


@pytest.mark.cold
def test_contract_d_holds_fork_bombs_and_half_a_cpu(run):
    ran = contract(run, "run", """
        import os, time
        count = 0
        try:
            while count < 2000:
                if os.fork() == 0:
                    time.sleep(1000)
                count += 1
        except OSError:
            print("held")
        """)
    assert ran.verdict["output"] == "held"
    printed = json.loads(run("--policy", "run", "--print-policy").stdout)
    assert printed["limits"]["cpus"] <= 0.5 and printed["limits"]["pids"] <= 512


def policy_named(run, *names):
    for name in names:
        if (POLICIES / f"{name}.json").exists():
            return name
    return pytest.fail(f"there is no policy {names[0]}")


@pytest.fixture
def run_code(run):
    return policy_named(run, "run_code", "run-code")


@pytest.fixture
def execute(run):
    return policy_named(run, "execute", "execute_code", "execute-code")


@pytest.fixture
def execute_script(run):
    return policy_named(run, "execute_script", "execute-script", "script")


def printed_limits(run, name):
    return json.loads(run("--policy", name, "--print-policy").stdout)["limits"]


def about(value, megabytes):
    """A contract's MB may be read as 10^6 or 2^20 bytes."""
    return megabytes * 1_000_000 <= value <= megabytes * MIB


@pytest.mark.cold
def test_contract_a_has_its_limits(run, run_code):
    limits = printed_limits(run, run_code)
    assert about(limits["memory_bytes"], 500)
    assert (limits["cpus"], limits["wall_time_ms"]) == (2, 30000)
    ran = run("--policy", run_code, json=True, code="x = b'x' * 300_000_000; print('ok')")
    assert ran.verdict["output"] == "ok", ran
    ran = run("--policy", run_code, json=True, code="x = b'x' * 600_000_000")
    assert ran.verdict["verdict"] == "memory"


@pytest.mark.cold
def test_contract_b_has_its_limits(run, execute):
    limits = printed_limits(run, execute)
    assert about(limits["memory_bytes"], 512)
    assert (limits["cpus"], limits["wall_time_ms"]) == (1, 5000)
    ran = run("--policy", execute, json=True, code="print('Hello')\nprint('World')")
    assert ran.verdict["output"] == "Hello\nWorld"
    ran = run("--policy", execute, json=True, code="""
        import tempfile
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"x")
            print("written")
        """)
    assert ran.verdict["output"] == "written"


@pytest.mark.cold
def test_contract_e_has_its_limits(run, execute_script):
    limits = printed_limits(run, execute_script)
    assert about(limits["memory_bytes"], 50)
    assert (limits["cpu_time_ms"], limits["open_files"]) == (5000, 10)
    ran = run("--policy", execute_script, "--call", "main", json=True,
              code="def main():\n    return {'message': 'Hello, World!'}")
    assert (ran.verdict["result"], ran.verdict["stdout"]) == ({"message": "Hello, World!"}, "")
    ran = run("--policy", execute_script, "--call", "main", json=True,
              code="def main():\n    print('printed')\n    return 1")
    assert (ran.verdict["result"], ran.verdict["stdout"]) == (1, "printed\n")
    ran = run("--policy", execute_script, "--call", "main", json=True, code="x = 1")
    assert ran.verdict["verdict"] == "exception" and "main" in ran.verdict["error"]
    ran = run("--policy", execute_script, json=True, code="""
        files = []
        try:
            while True:
                files.append(open("/dev/null"))
        except OSError as error:
            print(error.errno, len(files) <= 10)
        """)
    assert ran.verdict["output"] == "24 True"
    ran = run("--policy", execute_script, "--cpu-time", "1", json=True, code="while True: pass")
    assert ran.verdict["verdict"] == "cpu_time"


# ── Modules that are preloaded ───────────────────────────────────────────────────────────────────


def test_a_script_that_lacks_a_module_which_its_policy_preloads_is_told_what_that_policy_is_for(run, policy):
    lacking = policy(start="warm", preload=["json", "no_such_module", "no_such.package"])
    ran = run("--policy", lacking, code="import no_such_module")
    assert ran.status == 1
    sentence, = ran.sentences
    assert "is for a root file system that has no_such_module, no_such:" in sentence
    assert "sandbox-rootfs build --with python3-no_such_module,python3-no_such DIR" in sentence
    assert ran.stderr.index("ModuleNotFoundError") < ran.stderr.index(sentence)
    assert run("--quiet", "--policy", lacking, code="import no_such_module").sentences == []
    # Users who do without them are not told about it.
    for code in ("print(1)", "1 / 0", "import json"):
        assert run("--policy", lacking, code=code).sentences == []
    assert run("--policy", policy(start="warm", preload=["json"]), code="import no_such_module").sentences == []


def test_doctor_says_which_policies_lack_what_they_preload(run, policy, tmp_path):
    directory = policy(start="warm", preload=["json"]).rename(tmp_path / "has.json").parent
    policy(start="warm", preload=["no_such_module"]).rename(tmp_path / "lacks.json")
    policy().rename(tmp_path / "default.json")
    findings = {each["name"]: each for each in json.loads(run(
        "--doctor", "--json", env={"SANDBOX_POLICIES": str(directory)}).stdout)["findings"]}
    assert findings["policy has"]["ok"] and "policy default" not in findings
    lacks = findings["policy lacks"]
    assert not lacks["ok"] and not lacks["required"] and "no_such_module" in lacks["detail"]
    assert "sandbox-serve does not offer it" in lacks["meaning"]
    assert lacks["remedy"] == "sandbox-rootfs build --with python3-no_such_module DIR"
