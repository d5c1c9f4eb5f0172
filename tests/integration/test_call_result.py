"""--call: the value of a function comes back as JSON, separate from all output. A hostile script that writes in its
place falsifies only its own result."""

import json

import pytest


def call(run, code, *options, function="main"):
    return run(*options, "--call", function, json=True, code=code)


@pytest.mark.parametrize("value", [
    "None", "True", "0", "-1", "1.5", "1e300", "10 ** 100", "''", "'text'", "'é€😀\\0\\n\"'",
    "'\\ud800'", "[]", "[1, [2, [3]]]", "{}", "{'a': {'b': [None, True]}}", "(1, 2)",
    "{'message': 'Hello, World!'}", "{1: 'number as key', None: 'null', True: 'bool'}",
    "list(range(10000))"])
def test_a_value_comes_back_as_json(run, value):
    ran = call(run, f"def main(): return {value}")
    assert (ran.status, ran.verdict["verdict"], ran.verdict["status"]) == (0, "ok", "success")
    # No JSON text in UTF-8 holds half a pair.
    expected = "\ufffd" if value == "'\\ud800'" else json.loads(json.dumps(eval(value)))
    assert ran.verdict["result"] == expected


def test_what_main_prints_is_in_stdout_and_not_in_the_result(run):
    ran = call(run, """
        import os, sys
        print("at the top")
        def main():
            print("in main")
            os.system("echo from a child")
            print("to stderr", file=sys.stderr)
            return {"x": 1}
        """)
    assert ran.verdict["result"] == {"x": 1}
    assert sorted(ran.verdict["stdout"].splitlines()) == ["at the top", "from a child", "in main"]
    assert ran.verdict["stderr"] == "to stderr\n"


def test_without_call_there_is_no_result(run):
    assert run(json=True, code="def main(): return 1").verdict["result"] is None


def test_a_result_of_none_is_null(run):
    ran = call(run, "def main(): pass")
    assert (ran.status, ran.verdict["verdict"], ran.verdict["result"]) == (0, "ok", None)


def test_any_function_may_be_called(run):
    assert call(run, "def other(): return 5", function="other").verdict["result"] == 5
    assert call(run, "class Other:\n  def __init__(self): pass\n"
                     "  def __new__(cls): return 6", function="Other").verdict["result"] == 6


def test_a_script_without_the_function_is_an_exception_that_names_it(run):
    for code in ("x = 1", "main = 5"):
        ran = call(run, code)
        assert (ran.status, ran.verdict["verdict"], ran.verdict["result"]) == (1, "exception", None)
        assert "main" in ran.verdict["error"]


def test_a_function_that_raises_is_an_exception_with_its_traceback(run):
    ran = call(run, "def main():\n    print('before')\n    return 1/0\n")
    assert (ran.status, ran.verdict["verdict"], ran.verdict["result"]) == (1, "exception", None)
    assert "ZeroDivisionError" in ran.verdict["error"] and "line 3" in ran.verdict["error"]
    assert "in main" in ran.verdict["error"]
    assert ran.verdict["stdout"] == "before\n"


@pytest.mark.parametrize("value", ["float('nan')", "[float('inf')]", "object()", "{1, 2}", "b'x'",
                                   "{(1, 2): 3}", "lambda: 1"])
def test_a_value_that_json_cannot_hold_is_an_exception_that_says_so(run, value):
    ran = call(run, f"def main(): return {value}")
    assert (ran.status, ran.verdict["verdict"], ran.verdict["result"]) == (1, "exception", None)
    assert "JSON" in ran.verdict["error"]


def test_a_value_that_contains_itself_is_an_exception_too(run):
    ran = call(run, "def main():\n    x = []\n    x.append(x)\n    return x\n")
    assert (ran.verdict["verdict"], ran.verdict["result"]) == ("exception", None)


def test_a_function_that_exits_has_no_result(run):
    ran = call(run, "def main():\n    import sys\n    sys.exit(3)\n")
    assert (ran.status, ran.verdict["verdict"], ran.verdict["result"]) == (3, "exit", None)


def test_a_result_before_a_timeout_is_not_given(run):
    ran = call(run, "import time\ndef main(): time.sleep(1000)", "--timeout", "1")
    assert (ran.status, ran.verdict["verdict"], ran.verdict["result"]) == (124, "timeout", None)


def test_the_limits_hold_in_the_function_too(run):
    ran = call(run, "def main(): return bytearray(1 << 30)", "--memory", "64M")
    assert (ran.status, ran.verdict["verdict"]) == (137, "memory")


def test_a_function_in_a_script_file_is_called(run):
    script = run.script("import sys\ndef main(): return [__name__, sys.argv[1:]]\n")
    ran = run("--call", "main", "--json", script, "a", "b")
    assert ran.verdict["result"] == ["__main__", ["a", "b"]]


def test_meta_holds_the_result_too(run):
    ran = run("--call", "main", meta=True, code="def main():\n print('out')\n return [1]")
    assert (ran.stdout, ran.meta["result"]) == ("out\n", [1])


def test_where_nobody_would_see_the_value_it_is_said_where_it_is(run):
    code = "def main():\n print('out')\n return [1]\ndef nothing(): pass\ndef wrong(): 1/0"
    ran = run("--call", "main", code=code)
    assert (ran.status, ran.stdout, len(ran.sentences)) == (0, "out\n", 1)
    assert "--json" in ran.stderr and "--meta" in ran.stderr
    for options in (["--quiet", "--call", "main"], ["--call", "nothing"]):
        assert run(*options, code=code).stderr == ""
    assert not run("--call", "main", meta=True, code=code).sentences
    assert not run("--call", "main", json=True, code=code).sentences
    assert not run("--call", "wrong", code=code).sentences


@pytest.mark.parametrize("name", ["", "a.b", "1x", "main()", "a b", "__import__('os')"])
def test_a_name_that_is_no_identifier_runs_nothing_or_finds_nothing(run, name):
    ran = run("--call", name, code="def main(): print('ran')")
    assert ran.status in (1, 125)
    assert "ran" not in ran.stdout


def str_or_int(digits):
    return int(digits) if len(digits) < 1000 else digits


# ── Hostile writers ──────────────────────────────────────────────────────────────────────────────

# Attacks on the descriptor of the result. Each script ends by itself.
HOSTILE = {
    "garbage": "os.write(3, os.urandom(5000))",
    "not_json": "os.write(3, b'R{not json')",
    "not_utf8": "os.write(3, b'R\"\\xff\\xfe\"')",
    "a_nul": "os.write(3, b'R\"a\\0b\"')",
    "nothing_after_the_kind": "os.write(3, b'R')",
    "an_unknown_kind": "os.write(3, b'Z' * 100)",
    "two_results": "os.write(3, b'R1'); os.write(3, b'R2')",
    "a_result_and_rubbish": "os.write(3, b'R{\"a\": 1}}}}]')",
    "deep_nesting": "os.write(3, b'R' + b'[' * 60000)",
    "deep_and_closed": "os.write(3, b'R' + b'[' * 30000 + b']' * 30000)",
    "deep_objects": "os.write(3, b'R' + b'{\"a\":' * 10000)",
    "a_huge_number": "os.write(3, b'R' + b'9' * 60000)",
    "a_huge_exponent": "os.write(3, b'R1e999999999')",
    "not_a_number": "os.write(3, b'RNaN')",
    "same_keys": "os.write(3, b'R{\"a\":1,\"a\":2}')",
    "a_new_line": "os.write(3, b'R1\\n{\"verdict\":\"ok\"}\\n')",
    "a_lone_surrogate": "os.write(3, b'R\"\\\\ud800\"')",
    "an_exceptions_name": "os.write(3, b'E' + b'x' * 60000)",
    "an_exceptions_name_not_utf8": "os.write(3, b'E\\xff\\n\\0\\x1b[31m')",
    "closed": "os.close(3)",
    "a_byte_at_a_time": "[os.write(3, bytes([b])) for b in b'R[1, 2, 3]']",
    "left_to_a_grandchild": "os.set_inheritable(3, True)\n"
                            "if os.fork() == 0:\n"
                            "    os.setsid()\n"
                            "    import time; time.sleep(1000)",
    "turned_into_a_file": "os.dup2(os.open('/tmp/x', os.O_CREAT | os.O_RDWR), 3)",
    "turned_into_itself_and_read": "os.set_blocking(3, False)",
}


@pytest.mark.parametrize("ending", [
    pytest.param("os._exit(0)", marks=pytest.mark.cold), "os._exit(7)", "def main(): return 'of main'",
    pytest.param("raise ValueError('x')", marks=pytest.mark.cold)])
@pytest.mark.parametrize("kind", HOSTILE)
def test_what_a_script_writes_on_the_results_descriptor_falsifies_its_own_result_alone(
        run, kind, ending):
    ran = call(run, f"import os\nprint('out', flush=True)\n{HOSTILE[kind]}\n{ending}\n")
    # Python's own limits on numbers are not JSON's.
    verdict = json.loads(ran.out.decode("utf-8"), parse_int=str_or_int, parse_float=str,
                         parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert verdict["stdout"] == "out\n"
    assert verdict["verdict"] in ("ok", "exit", "exception", "output"), verdict
    assert ran.out.count(b"\n") == 1
    if ending == "os._exit(7)":
        assert (verdict["exit_code"], ran.status) == (7, 7) or verdict["verdict"] == "output"
    if ending == "os._exit(0)":
        assert ran.status in (0, 1, 153)


def test_a_flood_on_the_results_descriptor_is_too_large_a_result(run):
    ran = call(run, """
        import os
        def main():
            os.write(3, b'R"')
            for _ in range(2000):
                os.write(3, b"x" * 65536)
        """)
    assert (ran.status, ran.verdict["verdict"], ran.verdict["result"]) == (153, "output", None)


def test_a_flood_on_the_results_descriptor_that_never_ends_is_ended_in_time(run):
    ran = call(run, """
        import os
        def main():
            while True:
                os.write(3, b"x" * 65536)
        """, "--timeout", "2")
    assert (ran.status, ran.verdict["verdict"], ran.verdict["result"]) == (124, "timeout", None)


def test_a_flood_without_call_neither_hangs_nor_fills_our_memory(run):
    ran = run(json=True, code="""
        import os
        try:
            for _ in range(2000):
                os.write(3, b"x" * 65536)
        except OSError:
            pass
        """)
    assert ran.status in (0, 124, 153), ran


def test_a_descriptor_that_a_grandchild_holds_open_delays_nothing(run):
    ran = call(run, """
        import os, time
        def main():
            os.set_inheritable(3, True)
            if os.fork() == 0:
                os.setsid()
                os.close(1), os.close(2)
                time.sleep(1000)
                os._exit(0)
            return "at once"
        """, "--timeout", "60")
    assert (ran.status, ran.verdict["verdict"]) == (0, "ok"), ran
    assert ran.verdict["result"] == "at once"


def test_a_forged_exception_changes_no_exit_status(run):
    ran = call(run, "import os\nos.write(3, b'EValueError')\nos._exit(0)\n")
    assert ran.status == 0
    assert ran.verdict["verdict"] == "ok"


# ── How it is called ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ending", [
    'if __name__ == "__main__":\n    main()',
    "if '__main__' == __name__: print(main())",
    'if __name__ == "__main__" and True:\n    main()\nelse:\n    pass',
    'import sys\nif __name__ == "__main__":\n    sys.exit(main())',
    "main()",
    "",
])
def test_the_function_is_called_once(run, ending):
    ran = run("--json", "--call", "main", "-c", f"def main():\n    print('called as', __name__)\n    return 1\n{ending}")
    assert (ran.verdict["stdout"], ran.verdict["result"]) == ("called as __main__\n", 1)


def test_what_the_script_does_where_it_is_not_the_main_program_is_done(run):
    ran = run("--json", "--call", "f", "-c", """
if __name__ == "__main__":
    VALUE = "program"
else:
    VALUE = "imported"
def f(): return VALUE
""")
    assert ran.verdict["result"] == "imported"


@pytest.mark.parametrize(("code", "value"), [
    ("async def main():\n    import asyncio\n    await asyncio.sleep(0)\n    return 'awaited'", "awaited"),
    ("import asyncio\nasync def main(): return 2\nif __name__ == '__main__': asyncio.run(main())", 2),
    ("class Later:\n    def __await__(self): yield from (); return 3\ndef main(): return Later()", 3),
])
def test_what_is_to_be_awaited_is_awaited(run, code, value):
    assert run("--json", "--call", "main", "-c", code).verdict["result"] == value


def test_the_function_has_the_arguments_that_are_given(run):
    call = {"name": "add", "args": [1, [2.5, None]], "kwargs": {"é": "ü", "more": {"a": True}}}
    ran = run("--json", "--call", json.dumps(call), "-c", "def add(*args, **kwargs): return [args, kwargs]")
    assert ran.verdict["result"] == [call["args"], call["kwargs"]]


@pytest.mark.parametrize("call", [
    "{", '{"name": 1}', '{"args": []}', '{"name": "a b"}', '{"name": "f", "args": {}}', '{"name": "f", "kwargs": []}',
    '{"name": "f", "more": 1}', '{"name": "f", "args": [NaN]}', '["f"]', "f()",
])
def test_a_call_that_is_none_is_refused(run, call):
    ran = run("--json", "--call", call, "-c", "def f(): return 1")
    assert ran.status == 125
    assert "call" in ran.verdict["error"]


def test_a_function_that_does_not_take_the_arguments_is_an_exception(run):
    ran = run("--json", "--call", '{"name": "f", "args": [1]}', "-c", "def f(): return 1")
    assert (ran.verdict["verdict"], ran.verdict["stderr"].splitlines()[-1]) == (
        "exception", "TypeError: f() takes 0 positional arguments but 1 was given")


@pytest.mark.parametrize(("expression", "value"), [
    ("Indexed()", 7), ("Floating()", 0.5), ("[Indexed(), {'a': Floating()}]", [7, {"a": 0.5}]),
    ("__import__('decimal').Decimal('1.5')", 1.5), ("__import__('fractions').Fraction(1, 4)", 0.25),
    ("__import__('enum').IntEnum('E', 'A B').B", 2),
])
def test_numbers_of_other_kinds_are_numbers(run, expression, value):
    ran = run("--json", "--call", "main", "-c", f"""
class Indexed:
    def __index__(self): return 7
class Floating:
    def __float__(self): return 0.5
def main(): return {expression}
""")
    assert ran.verdict["result"] == value


@pytest.mark.parametrize(("expression", "value"), [
    ("'a\\ud800b'", "a\ufffdb"), ("'\\udfff'", "\ufffd"), ("{'\\ud83d': 1}", {"\ufffd": 1}),
    ("'\\ud83d\\ude00'", "\U0001f600"), ("'\\U0001f600'", "\U0001f600"), ("'\\\\ud800'", "\\ud800"),
])
def test_half_of_a_surrogate_pair_is_replaced(run, expression, value):
    assert run("--json", "--call", "main", "-c", f"def main(): return {expression}").verdict["result"] == value
