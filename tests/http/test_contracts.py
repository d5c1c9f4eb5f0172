"""The contracts of the five services whose clients should notice nothing but speed and safety: their examples,
literally."""

import pytest

from sandbox_serve import base64_text

pytestmark = pytest.mark.vm("service")

HELLO = "print('Hello World')"
TIMEOUT = "while True: pass"
QUIET = {"stderr": "", "truncated": {"stdout": 0, "stderr": 0}}
NETWORK = "import socket\nsocket.create_connection(('1.1.1.1', 53), timeout=3)"


# ── A: POST /run_code {"code"} ───────────────────────────────────────────────────────────────────


def test_a_answers_what_the_code_printed_and_an_empty_error(server):
    answer = server.post("/run_code", {"code": HELLO})
    assert (answer.status, answer.json) == (200, {"output": "Hello World", "error": "", **QUIET})


@pytest.mark.parametrize("body", [{}, {"code": None}])
def test_a_answers_400_without_code(server, body):
    answer = server.post("/run_code", body)
    assert answer.status == 400 and answer.error


@pytest.mark.parametrize("code", ["", " ", "\n", " \n\t\n", "# nothing"])
def test_code_that_is_empty_is_code_and_does_nothing(server, code):
    """As python3 -c '' does."""
    answer = server.post("/run_code", {"code": code})
    assert answer.status == 200 and (answer.json["output"], answer.json["error"]) == ("", "")
    answer = server.post("/execute", {"code": code})
    assert answer.status == 200 and answer.json["output"] == "" and "error" not in answer.json
    answer = server.run(code)
    assert (answer["status"], answer["output"], answer["verdict"], answer["exit_code"]) == ("success", "", "ok", 0)
    encoded = {"base64": base64_text(code.encode())}
    for body in ({"code": code, "name": "-c"}, {"files": {"main.py": code}}, {"code": encoded}):
        assert server.post("/run", body).json["status"] == "success"
    answer = server.post("/execute", {"script": code})
    assert answer.status == 400 and "main()" in answer.json["error"]


def test_a_answers_405_to_anything_but_post(server):
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        answer = server.ask(method, "/run_code")
        assert answer.status == 405 and "POST" in answer.headers["Allow"].split(", ") and answer.error


def test_a_answers_200_with_the_traceback_as_error_when_the_code_raises(server):
    answer = server.post("/run_code", {"code": "print('before')\n1/0"})
    assert answer.status == 200 and answer.json["output"] == "before"
    assert answer.json["error"].startswith("Traceback") and "ZeroDivisionError" in answer.json["error"]


def test_a_answers_200_with_a_syntax_error_as_error(server):
    answer = server.post("/run_code", {"code": "print('a"})
    assert answer.status == 200 and "SyntaxError" in answer.json["error"]


def test_a_answers_500_when_memory_ran_out(server):
    answer = server.post("/run_code", {"code": "x = b'a' * 600_000_000"})
    assert answer.status == 500 and "memory" in answer.json["error"].lower()


# ── B: POST /execute {"code", "timeout"} ─────────────────────────────────────────────────────────


def test_b_answers_both_lines_and_the_seconds_it_took(server):
    answer = server.post("/execute", {"code": "print('Hello, World!')\nprint(2 + 2)", "timeout": 5})
    assert answer.status == 200 and answer.json["output"].rstrip("\n") == "Hello, World!\n4"
    assert isinstance(answer.json["execution_time"], float) and 0 < answer.json["execution_time"] < 60
    assert not answer.json.get("error")


def test_b_needs_no_timeout(server):
    assert server.post("/execute", {"code": HELLO}).json["output"].rstrip("\n") == "Hello World"


def test_b_ends_code_at_the_timeout_it_was_asked_for(server):
    answer = server.post("/execute", {"code": "print('before', flush=True)\n" + TIMEOUT, "timeout": 3})
    assert answer.status == 200 and answer.json["error"] == "Execution timed out after 3 seconds"
    assert answer.json["output"].rstrip("\n") == "before" and answer.json["execution_time"] >= 3


def test_b_answers_200_with_the_traceback_as_error_when_the_code_raises(server):
    answer = server.post("/execute", {"code": "raise ValueError('no such luck')"})
    assert answer.status == 200 and "ValueError: no such luck" in answer.json["error"]
    assert answer.json["execution_time"] > 0


@pytest.mark.parametrize("timeout", ["0", "-1", "1000000", '"5"', "true", "[5]", "1e400", "-1e-400", '{"seconds": 5}'])
def test_b_refuses_a_timeout_that_cannot_be(server, timeout):
    answer = server.post("/execute", f'{{"code": "pass", "timeout": {timeout}}}'.encode())
    assert answer.status == 400 and answer.error and answer.field == "timeout"


def test_b_leaves_no_file_for_the_next(server):
    write = "import os\nfor d in ('/tmp', '.'): open(os.path.join(d, 'mine'), 'w').write('x')\nprint('written')"
    look = "import os\nprint(os.path.exists('/tmp/mine'), os.path.exists('mine'))"
    assert server.post("/execute", {"code": write}).json["output"].rstrip("\n") == "written"
    assert server.post("/execute", {"code": look}).json["output"].rstrip("\n") == "False False"


def test_b_says_that_it_is_healthy(server):
    answer = server.get("/health")
    assert answer.status == 200 and answer.json["status"] == "healthy"


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_b_has_interactive_api_pages(server, path):
    answer = server.get(path)
    assert answer.status == 200 and answer.headers.get_content_type() == "text/html" and "<html" in answer.text


# ── C and D: POST /run {"code"} ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("code,output", [
    (HELLO, "Hello World"),
    ("print(2 + 2)", "4"),
    ("for i in range(5): print(i)", "0\n1\n2\n3\n4"),
    ("pass", ""),
    ("print('a\\n')", "a\n"),
])
def test_c_answers_the_output_without_its_last_newline_and_success(server, code, output):
    answer = server.post("/run", {"code": code})
    assert answer.status == 200
    assert (answer.json["output"], answer.json["status"]) == (output, "success")
    assert "error" not in answer.json


def test_c_keeps_the_last_newline_in_stdout(server):
    assert server.run(HELLO)["stdout"] == "Hello World\n"


@pytest.mark.long
def test_c_says_after_how_many_seconds_an_endless_loop_timed_out(server):
    answer = server.post("/run", {"code": TIMEOUT})
    assert (answer.status, answer.json["status"]) == (200, "error")
    assert answer.json["error"] == "Execution timed out after 10 seconds"


def test_c_names_the_memory_limit_that_a_large_string_ran_into(server):
    answer = server.post("/run", {"code": "x = 'a' * 1000000000"})
    assert (answer.status, answer.json["status"]) == (200, "error")
    assert "memory limit" in answer.json["error"] and "128 MiB" in answer.json["error"]


def test_c_answers_an_error_to_a_network_call(server):
    answer = server.post("/run", {"code": NETWORK})
    assert (answer.status, answer.json["status"]) == (200, "error") and answer.json["error"]
    assert "Network is unreachable" in answer.json["stderr"]


def test_c_lets_nothing_be_written_not_even_in_tmp(server):
    answer = server.post("/run", {"code": "open('/tmp/test.txt','w')"})
    assert (answer.status, answer.json["status"]) == (200, "error") and answer.json["error"]
    assert "Read-only file system" in answer.json["stderr"]
    assert answer.json["error"] == (
        answer.json["stderr"] + 'The policy "run" lets code write no files: choose the policy "run_code".\n')
    written = server.post("/run", {"code": "open('/tmp/test.txt','w').write('x')", "policy": "run_code"})
    assert written.json["status"] == "success"


def test_c_answers_an_error_when_the_code_raises(server):
    answer = server.post("/run", {"code": "print('before')\nnope"})
    assert (answer.status, answer.json["status"]) == (200, "error") and answer.json["error"]
    assert answer.json["output"] == "before"
    assert "NameError: name 'nope' is not defined" in answer.json["stderr"]


def test_c_has_a_page_at_the_root(server):
    answer = server.get("/")
    assert answer.status == 200 and answer.headers.get_content_type() == "text/html"


def test_d_answers_the_output(server):
    answer = server.post("/run", {"code": "print(sum(range(10)))"})
    assert answer.status == 200 and answer.json["output"] == "45"


def test_d_answers_an_error(server):
    answer = server.post("/run", {"code": "import sys; sys.exit(3)"})
    assert answer.status == 200 and "exit status 3" in answer.json["error"]


def test_d_holds_a_fork_bomb(server):
    code = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
    answer = server.post("/run", {"code": code, "timeout": 2})
    assert (answer.status, answer.json["verdict"]) == (200, "timeout")
    assert answer.json["usage"]["pids_peak"] <= 64
    assert server.run("print('still here')")["output"] == "still here"


# ── E: POST /execute {"script"} ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("script,result,stdout", [
    ("def main():\n    return {'message': 'Hello, World!'}", {"message": "Hello, World!"}, ""),
    ("def main():\n    print('on the way')\n    return [1, 2.5, None, True, 'ü']", [1, 2.5, None, True, "ü"],
     "on the way\n"),
    ("print('first')\ndef main(): pass", None, "first\n"),
    ("import json\ndef main():\n    print(json.dumps({'result': 'forged'}))\n    return 1", 1,
     '{"result": "forged"}\n'),
    ("def main(): return '\\x00\\ud800'.encode('utf-16-le', 'surrogatepass').hex()", "000000d8", ""),
])
def test_e_answers_the_value_of_main_apart_from_what_it_printed(server, script, result, stdout):
    answer = server.post("/execute", {"script": script})
    assert (answer.status, answer.json) == (200, {"result": result, "stdout": stdout, **QUIET})


@pytest.mark.parametrize("script,said", [
    ("x = 1", "main"),
    ("main = 3", "main"),
    ("def main(): return object()", "JSON"),
    ("def main(): return {1, 2}", "JSON"),
    ("def main(): return float('nan')", "JSON"),
    ("def main():\n    a = []\n    a.append(a)\n    return a", "JSON"),
    ("def main(): raise ValueError('mine')", "ValueError"),
    ("def main(", "SyntaxError"),
    ("import sys\ndef main(): sys.exit(4)", "4"),
])
def test_e_answers_400_when_the_script_is_at_fault(server, script, said):
    answer = server.post("/execute", {"script": script})
    assert answer.status == 400 and {"error", "stdout", "stderr", "truncated"} <= set(answer.json)
    assert said in answer.json["error"] + answer.json["stderr"]


@pytest.mark.parametrize("script,said", [
    ("def main(): return len('a' * 100_000_000)", "50 MiB"),
    ("def main():\n    print('before', flush=True)\n    while True: pass", "5 seconds"),
], ids=["memory", "CPU time"])
def test_e_answers_500_when_the_script_ran_into_a_limit(server, script, said):
    answer = server.post("/execute", {"script": script})
    assert answer.status == 500 and {"error", "stdout", "stderr", "truncated"} <= set(answer.json)
    assert said in answer.json["error"]


def test_e_answers_what_was_printed_before_an_error(server):
    answer = server.post("/execute", {"script": "def main():\n    print('out')\n    1/0"})
    assert answer.status == 400 and answer.json["stdout"] == "out\n"
    assert "ZeroDivisionError" in answer.json["stderr"]


@pytest.mark.parametrize("body", [{}, {"script": None}, {"script": "def main(): 1", "code": "1"}, {"timeout": 3}])
def test_execute_needs_either_code_or_a_script(server, body):
    answer = server.post("/execute", body)
    assert answer.status == 400 and answer.error


def test_b_and_e_refuse_fields_of_each_other(server):
    answer = server.post("/execute", {"script": "def main(): pass", "timeout": 3, "stdin": "x"})
    assert answer.status == 400 and answer.field in ("timeout", "stdin")


# ── What every form has ──────────────────────────────────────────────────────────────────────────

# How a script ends itself, and what it has then said on stderr.
OWN_ENDS = {
    "sys.exit": ("import sys\nsys.exit('config is missing')", "config is missing\n"),
    "argparse": ("import argparse\nargparse.ArgumentParser(prog='tool').parse_args(['--nope'])",
                 "usage: tool [-h]\ntool: error: unrecognized arguments: --nope\n"),
    "logging": ("import logging, sys\nlogging.error('no disk')\nsys.exit(7)", "ERROR:root:no disk\n"),
    "a newline alone": ("import sys\nprint(file=sys.stderr)\nsys.exit(1)", "\n"),
    "a NUL": ("import sys\nsys.exit('a\\0b')", "a\0b\n"),
    "os._exit": ("import os\nos.write(2, b'gone')\nos._exit(3)", "gone"),
    "a traceback": ("raise ValueError('a\\0b ü')", None),
    "unittest": ("import sys, unittest\nclass T(unittest.TestCase):\n    def test(self): self.assertEqual(1, 2)\n"
                 "tests = unittest.defaultTestLoader.loadTestsFromTestCase(T)\n"
                 "sys.exit(not unittest.TextTestRunner().run(tests).wasSuccessful())", None),
    "a thread's": ("import sys, threading\nt = threading.Thread(target=lambda: 1 / 0)\nt.start()\nt.join()\n"
                   "sys.exit(1)", None),
}
FORMS = {"run": ("/run", "code", 200), "run_code": ("/run_code", "code", 200), "execute": ("/execute", "code", 200),
         "script": ("/execute", "script", 400)}


def of_main(code):
    return "def main():\n" + "".join(f"    {line}\n" for line in code.splitlines())


def in_form(server, form, code, **fields):
    path, name, _ = FORMS[form]
    return server.post(path, {name: of_main(code) if name == "script" else code, **fields})


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("end", OWN_ENDS)
def test_a_script_that_ends_itself_says_on_stderr_why_and_that_is_the_error(server, form, end):
    code, said = OWN_ENDS[end]
    answer = in_form(server, form, "print('before', flush=True)\n" + code)
    assert answer.status == FORMS[form][2]
    assert answer.json["error"] == answer.json["stderr"]
    assert answer.json["stderr"] == said if said else len(answer.json["stderr"].splitlines()) > 2
    assert answer.json.get("output", answer.json.get("stdout")).strip("\n") == "before"
    assert answer.json["truncated"] == {"stdout": 0, "stderr": 0}


@pytest.mark.parametrize("form", FORMS)
def test_a_script_that_ends_itself_without_a_word_has_a_sentence_for_an_error(server, form):
    answer = in_form(server, form, "import sys\nsys.exit(3)")
    assert answer.json["error"] == "the script ended with exit status 3"
    assert (answer.json["stderr"], answer.json["truncated"]) == ("", QUIET["truncated"])


@pytest.mark.parametrize("form", FORMS)
def test_what_went_wrong_on_stderr_is_no_error_when_all_went_well(server, form):
    answer = in_form(server, form, "import sys, threading\nt = threading.Thread(target=lambda: 1 / 0)\n"
                                   "t.start()\nt.join()\nprint('a warning', file=sys.stderr)")
    assert answer.status == 200 and not answer.json.get("error")
    assert "ZeroDivisionError" in answer.json["stderr"] and answer.json["stderr"].endswith("a warning\n")


@pytest.mark.parametrize("form", FORMS)
def test_a_limit_has_its_sentence_whatever_was_said_before(server, form):
    answer = in_form(server, form, "import sys\nprint('out', flush=True)\nprint('err', file=sys.stderr)\n"
                                   "x = b'a' * 600_000_000")
    assert "memory limit" in answer.json["error"]
    assert (answer.json["stderr"], answer.json["truncated"]) == ("err\n", QUIET["truncated"])
    assert answer.json.get("output", answer.json.get("stdout")).strip("\n") == "out"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("status", [0, 2])
def test_where_output_is_missing_every_form_says_so(server, form, status):
    code = ("import sys\nfor i in range(20_000):\n    print('Zeile', i, 'ü' * 50)\n"
            "    print('Fehler', i, 'ü' * 50, file=sys.stderr)\n")
    answer = in_form(server, form, code + (f"sys.exit({status})" if status else ""))
    for stream, word in (("stdout", "Zeile"), ("stderr", "Fehler")):
        written = "".join(f"{word} {i} {'ü' * 50}\n" for i in range(20_000))
        missing = answer.json["truncated"][stream]
        shown = answer.json[stream] if stream in answer.json else answer.json["output"] + "\n"
        head, tail = shown.split(f"… {missing} bytes left out …\n")
        assert written.startswith(head) and head.endswith("\n") and written.endswith("\n" + tail)
        assert len(head.encode()) + missing + len(tail.encode()) == len(written.encode())
    if status:
        assert answer.json["error"] == answer.json["stderr"]


def test_a_script_that_is_not_run_has_the_fields_of_one_that_failed(server):
    answer = server.post("/execute", {"script": 1})
    assert answer.status == 400 and answer.error
    assert (answer.json["stdout"], answer.json["stderr"], answer.json["truncated"]) == ("", "", QUIET["truncated"])
