"""The recursion limit and tracebacks are those of python3 alone: nothing of the runner is on a script's stack."""

import textwrap

import pytest

DEEPEST = """
    import sys
    def deeper(n):
        try:
            return deeper(n + 1)
        except RecursionError:
            return n
    print(deeper(1))
    sys.setrecursionlimit(77)
    print(deeper(1))
    """


def plain(run, code):
    """The output of python3 alone, in the same sandbox and with the same name."""
    ran = run(code=f"""
import subprocess, sys
open("/tmp/string", "w").write({code!r})
sys.exit(subprocess.run([sys.executable, "-c", open("/tmp/string").read()]).returncode)
""")
    return ran.status, ran.stdout, ran.stderr


@pytest.mark.parametrize("code", [
    DEEPEST,
    "import traceback\ntraceback.print_stack()",
    "import inspect, sys\nprint(len(inspect.stack()), sys._getframe().f_back)",
    "import warnings\nwarnings.warn('here')\nwarnings.warn('above', stacklevel=2)",
    "import sys, traceback\nsys.excepthook = lambda *error: (traceback.print_stack(), print(error[0]))\n1 / 0",
    "import atexit, traceback\natexit.register(traceback.print_stack)",
    "import threading, traceback\nt = threading.Thread(target=traceback.print_stack); t.start(); t.join()",
    "def f():\n    1 / 0\ntry:\n    f()\nexcept ZeroDivisionError as error:\n    raise KeyError from error",
    "raise ExceptionGroup('several', [ValueError(1), TypeError(2)])",
    "import faulthandler, re\nwith open('/tmp/dump', 'w+') as dump:\n    faulthandler.dump_traceback(dump)\n"
    "    dump.seek(0)\n    print(dump.read().splitlines()[1:])",
    "import sys\nprint(sys.exc_info(), hasattr(sys, 'last_type'), sys.excepthook is sys.__excepthook__)",
    "import sys\nsys.settrace(lambda frame, event, argument: print(event, frame.f_code.co_name))",
    "import sys\nsys.setprofile(lambda frame, event, argument: print(event, frame.f_code.co_name))\nlen('')",
    "print([name for name in dir() if name != '__annotations__'])",
    "x = " + "(" * 150 + ")" * 150,
    "print(eval('+'.join(['1'] * 900)))",
], ids=range(16))
def test_a_script_finds_the_stack_that_python3_gives_it(run, code):
    code = textwrap.dedent(code)
    ran = run(code=code)
    assert (ran.status, ran.stdout, ran.stderr) == plain(run, code)


def test_a_called_function_has_the_whole_stack(run):
    deepest = textwrap.dedent(DEEPEST).partition("print(")[0] + "def main(): return deeper(1)\nprint(deeper(1))"
    ran = run("--json", "--call", "main", "-c", deepest)
    assert ran.verdict["result"] == int(ran.verdict["stdout"])
