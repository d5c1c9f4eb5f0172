"""A script ends in the sandbox as it ends under python3: the same output in the same order, the same exit status.

The runner leaves the interpreter by a shorter way than python3 does. Each script here can see something of the way.
"""

import re
import textwrap

import pytest

ENDINGS = {
    "names of the script are finalised": """
        class Loud:
            def __init__(self, name): self.name = name
            def __del__(self): print("del", self.name)
        _private, b, a = Loud("private"), Loud("b"), Loud("a")
        """,
    "without functions names die in their order": """
        import io
        class Loud(io.StringIO):
            close = lambda self: print("closed")
        one = Loud(); two = Loud()
        """,
    "cycles are finalised": """
        class Node:
            def __init__(self, name): self.name, self.me = name, self
            def __del__(self): print("del", self.name, CONSTANT)
        CONSTANT = "still here"
        for name in "abc": Node(name)
        kept = Node("kept")
        """,
    "__del__ can print and use the script's names": """
        def say(text): print("says", text)
        class Polite:
            def __del__(self): say("goodbye")
        polite = Polite()
        """,
    "an exception in __del__ is shown and harms nothing": """
        class Bad:
            def __del__(self): raise ValueError("in del")
        bad = Bad()
        print("end")
        """,
    "a module that holds itself loses its names": """
        import __main__
        me = __main__
        class Loud:
            def __del__(self): print("del")
        import builtins
        builtins.keep = me
        loud = Loud()
        """,
    "weak references are told": """
        import weakref
        class Thing: pass
        thing = Thing()
        reference = weakref.ref(thing, lambda _: print("gone"))
        finalizer = weakref.finalize(thing, print, "finalized")
        """,
    "generators are closed": """
        def steps():
            try: yield 1
            finally: print("closed")
        walk = steps(); next(walk)
        """,
    "atexit runs last in, first out": """
        import atexit
        for n in range(3): atexit.register(print, "atexit", n)
        print("end", end="")
        """,
    "an exception in atexit is shown": """
        import atexit
        atexit.register(lambda: 1 / 0)
        atexit.register(print, "before")
        """,
    "threads are waited for before atexit": """
        import atexit, threading
        go = threading.Event()
        atexit.register(print, "atexit")
        def work():
            go.wait(); print("thread")
        threading.Thread(target=work).start()
        print("main"); go.set()
        """,
    "daemon threads are not": """
        import threading
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        print("end")
        """,
    "executors finish their work": """
        from concurrent.futures import ThreadPoolExecutor
        pool = ThreadPoolExecutor(2)
        pool.submit(print, "worked")
        print("end")
        """,
    "files that are left open are written": """
        import os
        r, w = os.pipe()
        pid = os.fork()
        if pid == 0:
            out = open(w, "w"); out.write("buffered")
        else:
            os.close(w); print(open(r).read()); print(os.waitpid(pid, 0)[1])
        """,
    "a fork that goes on to the end": """
        import os
        pid = os.fork()
        if pid: print("parent", os.waitpid(pid, 0)[1])
        else: print("child")
        """,
    "an exception that nothing catches": """
        class Loud:
            def __del__(self): print("del")
        def fail():
            loud = Loud()
            raise ValueError("failed")
        kept = Loud()
        fail()
        """,
    "a chain of exceptions": """
        try: 1 / 0
        except ZeroDivisionError as error: raise KeyError("second") from error
        """,
    "a hook for exceptions of the script's own": """
        import sys
        sys.excepthook = lambda *exception: print("hook", exception[0].__name__)
        raise ValueError
        """,
    "a hook for exceptions that fails": """
        import sys
        def hook(*exception): raise RuntimeError("in hook")
        sys.excepthook = hook
        raise ValueError("first")
        """,
    "a hook for exceptions that exits": """
        import sys
        sys.excepthook = lambda *exception: sys.exit(9)
        raise ValueError
        """,
    "an interrupt": "raise KeyboardInterrupt",
    "a syntax error": "print('x'\n",
    "exit without a status": "import sys; print('x'); sys.exit()",
    "exit None": "import sys; sys.exit(None)",
    "exit 7": "import sys; sys.exit(7)",
    "exit False": "import sys; sys.exit(False)",
    "exit True": "import sys; sys.exit(True)",
    "exit -1": "import sys; sys.exit(-1)",
    "exit 256": "import sys; sys.exit(256)",
    "exit with a huge number": "import sys; sys.exit(2 ** 70)",
    "exit with an empty text": "import sys; sys.exit('')",
    "exit with a text": "import sys; sys.exit('sorry')",
    "exit with an object": "raise SystemExit([1, 2])",
    "exit in atexit": "import atexit, sys; atexit.register(sys.exit, 5); print('x')",
    "exit at once": "import os; print('lost'); os._exit(3)",
    "stdout is closed": "import sys; print('x'); sys.stdout.close()",
    "stdout is None": "import sys; print('x', flush=True); sys.stdout = None",
    "stdout is another": "import sys, io; sys.stdout = io.StringIO(); print('x')",
    "the descriptor of stdout is closed": "import os; print('x'); os.close(1)",
    "stdout raises when it is flushed": """
        import sys
        class Odd:
            closed = False
            def write(self, text): pass
            def flush(self): raise RuntimeError("full")
        sys.stdout = Odd(); print("x")
        """,
    "C code's own buffer is flushed": """
        import ctypes
        ctypes.CDLL(None).printf(b"from C\\n")
        """,
}


# Runs main.py with python3 alone, in the same sandbox, and tells how it ended.
BARE = """
import json, subprocess, sys
ran = subprocess.run([sys.executable, "main.py"], capture_output=True, text=True, cwd="/work")
status = ran.returncode if ran.returncode >= 0 else 128 - ran.returncode
print(json.dumps([status, ran.stdout, ran.stderr]))
"""


def complaints(stderr):
    """Which exceptions were shown. At its very end python3 cannot read the lines of a traceback any more."""
    return [re.sub("0x[0-9a-f]+", "0x…", line) for line in stderr.splitlines()
            if not line.startswith((" ", "Traceback", "sandbox-run: "))]


@pytest.mark.parametrize("name", ENDINGS)
def test_a_script_ends_as_under_python3(run, policy, tmp_path, name):
    script = tmp_path / "main.py"
    script.write_text(textwrap.dedent(ENDINGS[name]))
    status, stdout, stderr = run("--start", "cold", "--files", script, code=BARE).value
    ran = run("--policy", policy(output_buffering="block"), script)  # as python3 has it where stdout is a pipe
    assert (ran.status, ran.stdout) == (status, stdout)
    assert complaints(ran.stderr) == complaints(stderr)
