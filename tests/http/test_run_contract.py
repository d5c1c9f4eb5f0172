"""The native form of POST /run: what a request may say, and what the answer always holds."""

import base64
import numbers

import pytest

WORDS = {"ok", "exception", "exit", "signal", "timeout", "cpu_time", "memory", "output", "internal"}
LIMITS = {"wall_time_ms": 3000, "cpu_time_ms": 1000, "memory_bytes": 33554432, "cpus": 0.25, "pids": 5,
          "output_bytes": 1000, "open_files": 20, "tmp_bytes": 1048576}

number, text, count = numbers.Real, str, int
FORM = {
    "status": text, "output": text, "verdict": text, "stdout": text, "stderr": text,
    "truncated": {"stdout": count, "stderr": count},
    "exit_code": (count, type(None)), "signal": (text, type(None)), "result": object,
    "usage": {"wall_time_ms": number, "cpu_time_ms": number, "memory_peak_bytes": count, "pids_peak": count},
    "enforcement": {"cgroup": text, "start": text, "missing": list},
    "display": list, "displays_left_out": count, "files": dict, "files_left_out": list,
    "id": text,
}


def check_form(value, form):
    if isinstance(form, dict):
        assert set(value) == set(form), value
        for key, inner in form.items():
            check_form(value[key], inner)
    else:
        assert isinstance(value, form) and not (isinstance(value, bool) and form is not object), (value, form)


# ── The answer ───────────────────────────────────────────────────────────────────────────────────

ENDS = {
    "ok": ("print(1)", {}, {"exit_code": 0, "signal": None}),
    "exception": ("1/0", {}, {"exit_code": 1, "signal": None}),
    "exit": ("raise SystemExit(7)", {}, {"exit_code": 7, "signal": None}),
    "signal": ("import os; os.abort()", {}, {"exit_code": None, "signal": "SIGABRT"}),
    "timeout": ("import time; time.sleep(100)", {"timeout": 0.2}, {"exit_code": None}),
    "cpu_time": ("while True: pass", {"limits": {"cpu_time_ms": 100}}, {"exit_code": None}),
    "memory": ("x = b'a' * 200_000_000", {}, {"exit_code": None}),
    "output": ("def main(): return 'x' * 2000000", {"call": "main"}, {}),
}


@pytest.mark.parametrize("word", ENDS)
def test_every_end_of_a_job_is_told_in_the_same_form(server, word):
    code, fields, told = ENDS[word]
    answer = server.run(code, **fields)
    assert answer["verdict"] == word and told.items() <= answer.items()
    assert answer["status"] == ("success" if word == "ok" else "error")
    assert ("error" in answer) == (word != "ok")
    if word != "ok":
        assert answer.pop("error")
    check_form(answer, FORM)


def test_usage_is_of_this_job(server):
    answer = server.run("import time\nx = b'a' * 50_000_000\nwhile time.process_time() < 0.2: pass")
    usage = answer["usage"]
    assert 50_000_000 <= usage["memory_peak_bytes"] <= 134217728
    assert 200 <= usage["cpu_time_ms"] <= usage["wall_time_ms"] * 2
    assert usage["pids_peak"] >= 1
    assert answer["enforcement"]["missing"] == []


def test_stdout_and_stderr_are_apart(server):
    answer = server.run("import sys\nprint('out')\nprint('err', file=sys.stderr)")
    assert (answer["stdout"], answer["stderr"]) == ("out\n", "err\n")


def test_stderr_goes_to_stdout_where_that_is_asked_for(server):
    answer = server.run("import os\nfor i in range(6): os.write(1 + i % 2, b'%d\\n' % i)\n1 / 0", merge_stderr=True)
    assert answer["stdout"].startswith("0\n1\n2\n3\n4\n5\nTraceback") and answer["stderr"] == ""
    assert answer["error"] == "the script raised ZeroDivisionError"
    assert server.run("import os; os.write(2, b'x')", merge_stderr=False)["stderr"] == "x"
    answer = server.post("/run", {"code": "1", "merge_stderr": 1})
    assert (answer.status, answer.field) == (400, "merge_stderr") and "true or false" in answer.error


def test_output_beyond_the_limit_is_counted_and_the_job_goes_on(server):
    answer = server.run("print('a' * 5000)\nprint('end')", limits={"output_bytes": 1000})
    assert answer["verdict"] == "ok" and answer["truncated"]["stdout"] == 5005 - 1000
    assert answer["stdout"] == "a" * 500 + "\n… 4005 bytes left out …\n" + "a" * 495 + "\nend\n"
    assert answer["output"] == answer["stdout"][:-1]


def test_bytes_that_are_not_utf_8_are_replaced(server):
    answer = server.run(r"import sys; sys.stdout.buffer.write(b'\xff\xc0\x80 \xed\xa0\x80 \xf0\x9f\x98\x80 \x00\n')")
    assert "\ufffd" in answer["stdout"] and answer["stdout"].endswith(" 😀 \0\n")


@pytest.mark.parametrize("value, told", [
    ("'\\ud800'", "\ufffd"), ("'a\\udfffb'", "a\ufffdb"), ("{'\\udc80': ['\\ud83d\\ude00', '😀']}", {"\ufffd": ["😀", "😀"]}),
    ("[chr(0xd800) * 3, chr(0xdc00) + chr(0xd800)]", ["\ufffd" * 3, "\ufffd" * 2]),
    ("os.listdir('.')", ["\ufffd.txt"]),
])
def test_half_a_surrogate_pair_in_a_value_is_replaced(server, value, told):
    """A strict reader of JSON would refuse it, and with it the whole answer."""
    code = f"import os\nos.mkdir('d')\nos.chdir('d')\nopen(b'\\xff.txt', 'w')\ndef main(): return {value}"
    assert server.run(code, call="main", policy="default")["result"] == told


@pytest.mark.parametrize("forged", [r"\ud800", r"\udfff\ud800", r"\ud83d\\ude00", r"\uDBFF\n", r"\\\udc00"])
def test_half_a_surrogate_pair_in_a_forged_value_does_not_get_through(server, forged):
    code = f"import os\ndef main():\n    os.write(3, rb'R[\"{forged}\"]')\n    os._exit(0)"
    answer = server.run(code, call="main")
    assert answer["verdict"] == "ok" and "\ufffd" in answer["result"][0]


# ── The request ──────────────────────────────────────────────────────────────────────────────────


def test_stdin_is_read_to_its_end(server):
    stdin = "first line\nzwei ü 😀\n\0\nno newline"
    assert server.run("import sys; print(sys.stdin.read().encode().hex())", stdin=stdin)["output"] == \
        stdin.encode().hex()


def test_without_stdin_there_is_an_empty_one(server):
    assert server.run("import sys; print(repr(sys.stdin.read()))")["output"] == "''"


def test_a_large_stdin_that_nobody_reads_holds_nothing_up(server):
    assert server.run("print('done')", stdin="x" * 200000)["output"] == "done"


def test_args_are_the_scripts(server):
    args = ["one", "", "-c", "--policy", "zwei ü", "a b\n"]
    assert server.run("import sys; print(sys.argv[1:])", args=args)["output"] == repr(args)


def test_env_is_added_to_the_policys(server):
    answer = server.run("import os; print(os.environ['MINE'], os.environ['HOME'])", env={"MINE": "a=b ü"})
    assert answer["output"] == "a=b ü /work"


def test_nothing_of_the_servers_environment_is_seen(serve):
    server = serve(env={"SECRET_OF_THE_SERVER": "hunter2"})
    assert "hunter2" not in server.run("import os; print(dict(os.environ))")["output"]


def test_policy_names_another_policy(server):
    answer = server.run("open('/tmp/file', 'w').write('x')\nprint('written')", policy="run_code")
    assert answer["output"] == "written"


def test_call_gives_the_functions_value_as_result(server):
    answer = server.run("def answer():\n    print('out')\n    return {'a': [1, None]}", call="answer")
    assert (answer["result"], answer["stdout"]) == ({"a": [1, None]}, "out\n")


def test_timeout_is_in_seconds_and_the_same_as_the_limit(server):
    by_timeout = server.run("import time; time.sleep(100)", timeout=0.25)
    by_limit = server.run("import time; time.sleep(100)", limits={"wall_time_ms": 250})
    assert by_timeout["error"] == by_limit["error"] == "Execution timed out after 0.25 seconds"


def test_files_are_there_beside_the_code(server):
    answer = server.run("import helper\nprint(helper.name, open('data/x.txt').read())",
                        files={"helper.py": "name = 'helped'", "data/x.txt": "of data"})
    assert answer["output"] == "helped of data"


def test_files_with_a_main_need_no_code(server):
    answer = server.post("/run", {"files": {"main.py": "import other", "other.py": "print('by files')"}})
    assert (answer.status, answer.json.get("output")) == (200, "by files")


@pytest.mark.parametrize("path, there", [
    ("./a", "a"), ("a/./b", "a/b"), ("a//b", "a/b"), ("a/../b", "b"), ("./x/y/../../z/w", "z/w"), ("a\\b", "a\\b"),
    ("...", "..."), (" ", " "), ("a\nb", "a\nb"), ("données.csv", "données.csv"), ("n" * 255, "n" * 255),
], ids=repr)
def test_a_file_has_one_name_however_it_is_written(server, path, there):
    code = f"import os\nprint(open({there!r}).read(), sum(len(files) for _, _, files in os.walk('.')))"
    answer = server.run(code, files={path: "is there"})
    assert (answer["stdout"], answer["stderr"]) == ("is there 2\n", "")


def test_a_main_py_is_one_however_it_is_written(server):
    answer = server.post("/run", {"files": {"./other.py": "x = 1", "./main.py": "import other; print(other.x, __file__)"}})
    assert (answer.status, answer.json.get("output")) == (200, "1 /work/main.py")


@pytest.mark.parametrize("files, named", [
    ({"./a": "", "a": ""}, ["'./a'", "'a'"]), ({"d/a": "", "d//b/../a": ""}, ["'d/a'", "'d//b/../a'"]),
    ({"a/b": "", "./a": ""}, ["'a/b'", "'./a'"]), ({"a/b": "", "c/../a": ""}, ["'a/b'", "'c/../a'"]),
    ({"./main.py": ""}, ["'./main.py'", "the script"]), ({"main.py/x": ""}, ["'main.py/x'", "'main.py'"]),
    ({"../a": ""}, ["'../a'", "out of the working directory"]), ({"a/../../b": ""}, ["'a/../../b'", "out of"]),
    ({"/work/a": ""}, ["'/work/a'", "absolute"]), ({"a/": ""}, ["'a/'", "a directory"]), ({"": ""}, ["''", "empty"]),
    ({".": ""}, ["'.'", "a directory"]), ({"a/..": ""}, ["'a/..'", "a directory"]), ({"n" * 256: ""}, ["nnn", "too long"]),
    ({"/".join("d" * 600): ""}, ["'d/d/", "too long"]), ({"/a\nb": ""}, ["'/a\ufffdb'", "absolute"]),
], ids=lambda value: repr(value)[:40])
def test_a_file_without_a_name_of_its_own_is_refused_and_named(server, files, named):
    code = {"name": "main.py", "code": "pass"}
    answer = server.post("/run", {**code, "files": files})
    assert (answer.status, answer.field) == (400, "files")
    assert all(part in answer.error for part in named), answer.error


def test_two_that_are_main_py_are_refused(server):
    answer = server.post("/run", {"files": {"main.py": "1", "./main.py": "2"}})
    assert (answer.status, answer.field) == (400, "files")
    assert "'./main.py'" in answer.error and "'main.py'" in answer.error


@pytest.mark.parametrize("policy", ["default", "run", "execute"])
def test_the_streams_can_be_opened_by_their_names(server, policy):
    answer = server.run("import os\nos.read(0, 2)\nopen('/dev/stdout', 'w').write(open('/dev/stdin').read())\n"
                        "open('/proc/self/fd/2', 'a').write(repr(open('/dev/fd/0').read()))",
                        policy=policy, stdin="a line\nanother")
    assert (answer["stdout"], answer["stderr"]) == ("line\nanother", "''")


@pytest.mark.parametrize("files", [
    {"../escape.py": "", "main.py": ""}, {"/etc/file": "", "main.py": ""}, {"": "", "main.py": ""},
    {"a/../../b": "", "main.py": ""}, {"a\0b": "", "main.py": ""}, {"other.py": "print(1)"}, {},
], ids=repr)
def test_files_that_cannot_be_are_refused(server, files):
    answer = server.post("/run", {"files": files})
    assert answer.status == 400 and answer.error and answer.field.startswith(("files", "code"))


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_inside_its_cap_is_taken(server, limit):
    answer = server.post("/run", {"code": "print('ran')", "limits": {limit: LIMITS[limit]}})
    assert (answer.status, answer.json.get("output")) == (200, "ran")


def test_limits_that_are_taken_hold(server):
    code = """
import os, resource
try:
    with open('/tmp/x', 'wb') as file: file.write(b'x' * 2_000_000)
except OSError as error: print(error.strerror)
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""
    answer = server.run(code, policy="run_code", limits={"tmp_bytes": 1048576, "open_files": 20})
    assert answer["output"] == "No space left on device\n20"
    answer = server.run("x = b'a' * 50_000_000", limits={"memory_bytes": 33554432})
    assert answer["verdict"] == "memory" and "32 MiB" in answer["error"]


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_above_its_cap_is_refused_with_the_cap(server, limit):
    caps = {policy["name"]: policy["caps"] for policy in server.get("/policies").json["policies"]}["run"]
    answer = server.post("/run", {"code": "print(1)", "limits": {limit: caps[limit] * 2}})
    assert answer.status == 400 and answer.field == f"limits.{limit}"
    assert limit in answer.error and "cap" in answer.error


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("value", [0, -1, -0.5, "10", None, True, [], {}, 1e300], ids=repr)
def test_a_limit_that_cannot_be_is_refused_by_name(server, limit, value):
    answer = server.post("/run", {"code": "print(1)", "limits": {limit: value}})
    if value is None and answer.status == 200:
        return  # null may stand for: as the policy says
    assert answer.status == 400 and answer.error and answer.field == f"limits.{limit}"


TYPES = {"code": "pass", "files": {"main.py": "pass"}, "stdin": "", "args": ["a"], "env": {"A": "b"}, "policy": "run",
         "timeout": 1, "limits": {"pids": 4}, "call": "main"}
WRONG = [1, 1.5, True, "text", ["text"], [1], {"a": "b"}, {"a": 1}, [["text"]], {"a": {"b": "c"}}]


def shape(value):
    """A value's type, as far as a request's fields tell types apart."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "number"
    if isinstance(value, list):
        return [shape(each) for each in value[:1]]
    if isinstance(value, dict):
        return {"": shape(each) for each in value.values()}
    return type(value)


@pytest.mark.parametrize("field,value", [
    (field, value) for field in TYPES for value in WRONG
    if shape(value) != shape(TYPES[field])
    and not (field == "limits" and isinstance(value, dict))], ids=repr)
def test_a_field_of_a_wrong_type_is_refused_by_name(server, field, value):
    answer = server.post("/run", {"code": "pass", **({"code": None} if field == "files" else {}), field: value})
    assert answer.status == 400 and answer.error
    assert answer.field == field or answer.field.startswith((f"{field}.", f"{field}[")), answer.json


@pytest.mark.parametrize("body,field", [
    ({"code": "pass", "nonsense": 1}, "nonsense"),
    ({"code": "pass", "Timeout": 1}, "Timeout"),
    ({"code": "pass", "": 1}, ""),
    ({"code": "pass", "limits": {"nonsense": 1}}, "limits.nonsense"),
    ({"code": "pass", "limits": {"memory": 1}}, "limits.memory"),
    ({"code": "pass", "policy": "nonsense"}, "policy"),
    ({"code": "pass", "policy": "../run"}, "policy"),
    ({"code": "pass", "policy": "/etc/passwd"}, "policy"),
    ({"code": "pass", "policy": "run.json"}, "policy"),
    ({"code": "pass", "policy": ""}, "policy"),
    ({"code": "pass", "env": {"A=B": "c"}}, "env"),
    ({"code": "pass", "env": {"": "c"}}, "env"),
    ({"code": "pass", "env": {"A": "a\0b"}}, "env"),
    ({"code": "pass", "args": ["a\0b"]}, "args"),
    ({"code": "pass", "call": "not a name"}, "call"),
    ({"code": "pass", "call": ""}, "call"),
    ({"code": "pass", "timeout": 1, "limits": {"wall_time_ms": 1000}}, "timeout"),
    ({"code": "pass\0"}, "code"),
    ({}, "code"),
    ({"stdin": "x"}, "code"),
    ({"code": None}, "code"),
    ({"files": {"main.py": None}}, "files.main.py"),
], ids=repr)
def test_what_is_not_understood_is_refused_by_name(server, body, field):
    answer = server.post("/run", body)
    assert answer.status == 400 and answer.error
    assert (answer.field or "") == field or answer.field.startswith(f"{field}.") or \
        answer.field.startswith(f"{field}["), answer.json


@pytest.mark.parametrize("body", [b"", b" ", b"\n"])
def test_an_empty_body_is_refused(server, body):
    for path in ("/run", "/run_code", "/execute"):
        answer = server.post(path, body)
        assert answer.status == 400 and answer.error


@pytest.mark.parametrize("body", [b"[]", b"1", b'"code"', b"null", b"true", b'[{"code": "pass"}]'])
def test_a_body_that_is_no_object_is_refused(server, body):
    for path in ("/run", "/run_code", "/execute"):
        answer = server.post(path, body)
        assert answer.status == 400 and answer.error


def test_a_post_without_a_body_is_refused(server):
    answer = server.ask("POST", "/run", None, {"Content-Type": "application/json", "Content-Length": "0"})
    assert answer.status == 400 and answer.error


# ── What is run, and how ─────────────────────────────────────────────────────────────────────────


def test_code_is_text_whatever_encoding_it_declares(server):
    for name in ("gbk", "latin-1", "ascii", "nonsense"):
        assert server.run(f"# coding: {name}\nprint('你好')")["output"] == "你好"
    answer = server.run("# coding: gbk\nimport part\nraise ValueError(part.TEXT)",
                        files={"part.py": "# coding: gbk\nTEXT = '你好'"})
    assert answer["stderr"].endswith("ValueError: 你好\n")


def test_code_that_is_bytes_is_a_source_file(server):
    for source in (b"# coding: gbk\nprint('\xc4\xe3\xba\xc3')", b"# coding: utf-8\nprint('\xe4\xbd\xa0\xe5\xa5\xbd')"):
        assert server.run({"base64": base64.b64encode(source).decode()})["output"] == "你好"
    assert server.run({"text": "print('你好')", "size": 13})["output"] == "你好"


@pytest.mark.parametrize("code", [
    {}, {"base64": 1}, {"base64": "%%%"}, {"base64": "cA"}, {"base64": "cA==", "more": 1}, {"text": 1}, 1, ["x"],
])
def test_code_that_is_neither_text_nor_bytes_is_refused(server, code):
    answer = server.post("/run", {"code": code})
    assert (answer.status, answer.json["field"]) == (400, "code")


def test_a_module_is_run_in_place_of_code(server):
    files = {"tool/__init__.py": "", "tool/__main__.py": "import sys\nprint(__name__, __package__, sys.argv[1:])"}
    answer = server.run(None, module="tool", files=files, args=["a"])
    assert answer["output"] == "__main__ tool ['a']"
    answer = server.run(None, module="main", files={"main.py": "print(__name__)"})
    assert answer["output"] == "__main__"


@pytest.mark.parametrize("fields", [
    {"module": "json", "code": "print(1)"}, {"module": ""}, {"module": "a b"}, {"module": 1}, {"module": "x\0"},
    {"module": "json", "call": "f"},
])
def test_a_module_that_is_none_is_refused(server, fields):
    answer = server.post("/run", fields)
    assert (answer.status, answer.json["field"]) == (400, "module")


def test_a_function_is_called_with_arguments(server):
    call = {"name": "f", "args": [1, "é"], "kwargs": {"key": [None, 2.5]}}
    assert server.run("def f(*args, **kwargs): return [args, kwargs]", call=call)["result"] == [
        call["args"], call["kwargs"]]


@pytest.mark.parametrize("call", [{}, {"name": 1}, {"name": "f", "args": {}}, {"name": "f", "more": 1}, 1, ["f"]])
def test_a_call_that_is_none_is_refused(server, call):
    answer = server.post("/run", {"code": "def f(): return 1", "call": call})
    assert (answer.status, answer.json["field"]) == (400, "call")
