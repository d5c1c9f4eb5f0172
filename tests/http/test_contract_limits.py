"""Each endpoint holds the limits of its contract: what is inside them runs, what is beyond does not."""

import json

import pytest

# endpoint, the field that holds the code, and what its contract promises
ENDPOINTS = {
    "A": ("/run_code", "code"),
    "B": ("/execute", "code"),
    "C": ("/run", "code"),
    "E": ("/execute", "script"),
}
MIB = 1024 * 1024
MEMORY = {"A": 500 * MIB, "B": 512 * MIB, "C": 128 * MIB, "E": 50 * MIB}
WRITABLE = {"A": True, "B": True, "C": False, "E": True}
each = pytest.mark.parametrize("contract", ENDPOINTS)


@pytest.fixture
def ask(server):
    """ask("A", code, …) runs code by one of the contracts: the whole answer."""
    def post(contract, code, **fields):
        path, field = ENDPOINTS[contract]
        if field == "script":
            code += "\ndef main(): pass"
        return server.post(path, {field: code, **fields})
    return post


@pytest.fixture
def told(ask):
    """told("A", code) is what the code prints as JSON."""
    def value(contract, code):
        answer = ask(contract, code)
        return json.loads(answer.json["stdout" if "stdout" in answer.json else "output"])
    return value


def failed(answer):
    return bool(answer.json.get("error")) or answer.status != 200


@each
def test_memory_within_the_limit_is_there_and_beyond_it_is_not(ask, contract):
    within, beyond = MEMORY[contract] * 3 // 4, MEMORY[contract] + MIB
    assert not failed(ask(contract, f"x = b'a' * {within}"))
    answer = ask(contract, f"x = b'a' * {beyond}")
    assert failed(answer) and "memory limit" in answer.json["error"]
    assert f"{MEMORY[contract] // MIB} MiB" in answer.json["error"]


BUSY = """
import os, resource, time, json
began = time.monotonic()
children = []
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        while time.monotonic() - began < 2: pass
        os._exit(0)
for _ in range(3): os.wait()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps((used.ru_utime + used.ru_stime) / (time.monotonic() - began)))
"""


@pytest.mark.parametrize("contract,cpus", [("A", 2), ("B", 1), ("C", 0.5)])
def test_no_more_cpu_than_promised(told, contract, cpus):
    assert 0 < told(contract, BUSY) <= cpus * 1.15


@pytest.mark.long
def test_every_contract_ends_what_runs_too_long(server):
    sleep = "import time; time.sleep(100)"
    asked = {
        ("Execution timed out after 30 seconds", 500): server.send("POST", "/run_code", {"code": sleep}),
        ("Execution timed out after 5 seconds", 200): server.send("POST", "/execute", {"code": sleep}),
        ("Execution timed out after 2 seconds", 200): server.send("POST", "/execute", {"code": sleep, "timeout": 2}),
        ("Execution timed out after 10 seconds", 200): server.send("POST", "/run", {"code": sleep}),
    }
    for (sentence, status), connection in asked.items():
        with connection:
            answer = connection.answer()
            assert (answer.json["error"], answer.status) == (sentence, status)


@pytest.mark.parametrize("letter", ["#", "é", "語", "😀"])
def test_code_for_run_has_up_to_5000_characters_however_many_bytes(server, letter):
    code = "print('all of it')#"
    answer = server.post("/run", {"code": code + letter * (5000 - len(code))})
    assert answer.status == 200 and answer.json["output"] == "all of it"
    answer = server.post("/run", {"code": code + letter * (5001 - len(code))})
    assert answer.status == 400 and "5000" in answer.error and answer.field == "code"


@pytest.mark.parametrize("contract", ["A", "B", "E"])
def test_the_other_endpoints_take_longer_code(ask, contract):
    assert not failed(ask(contract, "print(1)#" + "x" * 20000))


def test_a_script_by_contract_e_has_10_open_files(told):
    code = """
import json, os
opened = []
try:
    while True: opened.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error:
    why = error.strerror
for fd in opened: os.close(fd)
print(json.dumps([max(opened), why]))
"""
    assert told("E", code) == [9, "Too many open files"]


@each
def test_processes_are_held_by_a_limit(told, contract):
    code = """
import json, os, signal
children = []
try:
    while len(children) < 500:
        pid = os.fork()
        if pid == 0: signal.pause()
        children.append(pid)
except OSError as error:
    pass
for pid in children: os.kill(pid, signal.SIGKILL)
print(json.dumps(len(children)))
"""
    limit = {"A": 128, "B": 128, "C": 64, "E": 32}[contract]
    assert limit - 4 <= told(contract, code) < limit


@each
@pytest.mark.parametrize("directory", ["/tmp", "."])
def test_files_can_be_written_where_the_contract_says_so(told, contract, directory):
    code = f"""
import json
try:
    with open("{directory}/file", "w") as file: file.write("x")
    print(json.dumps(True))
except OSError:
    print(json.dumps(False))
"""
    assert told(contract, code) is WRITABLE[contract]


@each
def test_nothing_else_of_the_file_system_can_be_written(told, contract):
    code = """
import json, os
written = []
for directory in ("/", "/etc", "/usr/lib", "/root", "/home", "/var", "/proc", "/dev"):
    try:
        open(os.path.join(directory, "file"), "w")
        written.append(directory)
    except OSError: pass
print(json.dumps(written))
"""
    assert told(contract, code) == []


@each
def test_no_file_is_left_for_the_next(ask, told, contract):
    ask(contract, "for d in ('/tmp', '.', '/dev/shm'):\n"
                  "    try: open(d + '/mine', 'w').write('x')\n"
                  "    except OSError: pass")
    look = "import json, os; print(json.dumps([os.path.exists(d + '/mine') for d in ('/tmp', '.', '/dev/shm')]))"
    assert told(contract, look) == [False, False, False]


@each
def test_there_is_no_network(told, contract):
    code = """
import json, socket
said = []
for family, address in ((socket.AF_INET, ("1.1.1.1", 53)), (socket.AF_INET, ("127.0.0.1", 80)),
                        (socket.AF_INET6, ("2606:4700:4700::1111", 53))):
    try:
        socket.socket(family).connect(address)
        said.append("connected")
    except OSError as error:
        pass
try:
    socket.getaddrinfo("example.org", 80)
    said.append("resolved")
except OSError: pass
print(json.dumps(said))
"""
    assert told(contract, code) == []


def test_the_policies_say_what_the_contracts_promise(server):
    policies = {policy["name"]: policy for policy in server.get("/policies").json["policies"]}
    promised = [
        ("run_code", "memory_bytes", 500 * MIB), ("run_code", "cpus", 2), ("run_code", "wall_time_ms", 30000),
        ("execute", "memory_bytes", 512 * MIB), ("execute", "cpus", 1), ("execute", "wall_time_ms", 5000),
        ("run", "memory_bytes", 128 * MIB), ("run", "cpus", 0.5), ("run", "wall_time_ms", 10000),
        ("run", "code_chars", 5000),
        ("execute_script", "memory_bytes", 50 * MIB), ("execute_script", "cpu_time_ms", 5000),
        ("execute_script", "open_files", 10),
    ]
    for name, limit, value in promised:
        assert policies[name]["limits"][limit] == value, (name, limit)
