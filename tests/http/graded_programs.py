"""Small programs as they come to a grader: right ones, wrong ones, and those that never end, with what becomes of each,
however busy the host is.

A row: what it must be said to be, the code, and what else the request has. All run under the policy "judge" with LIMITS."""

import os
import re

SLOW = int(os.environ.get("SANDBOX_TEST_SLOW") or 1) ** 2  # so many times slower an emulated machine computes
LIMITS = {"cpu_time_ms": 400 * SLOW, "wall_time_ms": 8000 * min(SLOW, 10)}

# One that does not compute ends by the clock.
SLEEPS = {"limits": {**LIMITS, "wall_time_ms": 700 * min(SLOW, 10)}}

NUMBERS = {"stdin": "\n".join(map(str, range(1000)))}

BURN = """
import time
def burn(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end: pass
"""

PROGRAMS = [
    # Right.
    ("ok 4", "print(2 + 2)", {}),
    ("ok [1, 2, 3]", "print(sorted([3, 1, 2]))", {}),
    ("ok 168", "print(sum(all(n % d for d in range(2, n)) for n in range(2, 1000)))", {}),
    ("ok 2584", "def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\nprint(fib(18))", {}),
    ("ok 499500", "import sys\nprint(sum(map(int, sys.stdin)))", NUMBERS),
    ("ok 499500", "total = 0\nfor _ in range(1000): total += int(input())\nprint(total)", NUMBERS),
    ("ok a b", "import sys\nprint(*sys.argv[1:])", {"args": ["a", "b"]}),
    ("ok 3", "import helper\nprint(helper.three())", {"files": {"helper.py": "def three(): return 3"}}),
    ("ok 158", "import math\nprint(len(str(math.factorial(100))))", {}),
    ("ok ['a1', 'b2']", "import re\nprint(re.findall(r'[a-z][0-9]', 'a1 b2'))", {}),
    ("ok {'a': 1}", "import json\nprint(json.loads('{\"a\": 1}'))", {}),
    ("ok written", "open('/tmp/file', 'w').write('written')\nprint(open('/tmp/file').read())", {}),
    ("ok done", BURN + "burn(0.15)\nprint('done')", {}),
    ("ok done", BURN + "for _ in range(10):\n    burn(0.01)\n    time.sleep(0.01)\nprint('done')", {}),
    ("ok value 7", "def main(): return 7", {"call": "main"}),

    # Wrong.
    ("exception AssertionError", "def double(n): return n + n + 1\nassert double(2) == 4", {}),
    ("exception NameError", "print(undefined)", {}),
    ("exception SyntaxError", "def f(:", {}),
    ("exception ZeroDivisionError", "print(1 / 0)", {}),
    ("exception KeyError", "print({}['key'])", {}),
    ("exception EOFError", "print(input())", {}),
    ("exception ModuleNotFoundError", "import nothing_like_this", {}),
    ("exception Wrong", "class Wrong(Exception): pass\nraise Wrong", {}),
    ("exception RecursionError", "def f(n): return f(n + 1)\nf(0)", {}),
    ("exception ValueError", "print(int('x'))", {}),
    ("exception AttributeError", "(1).nothing", {"call": "main"}),
    ("ok 5", "print(2 + 3)", {}),

    # Those that end before they are tested.
    ("ok no value", "exit(0)\ndef main(): return True", {"call": "main"}),
    ("ok no value", "import os\nos._exit(0)\ndef main(): return True", {"call": "main"}),
    ("exit 3", "import sys\nsys.exit(3)", {}),
    ("exit 7", "import os\nos._exit(7)", {}),
    ("signal SIGKILL", "import os\nos.kill(os.getpid(), 9)", {}),
    ("signal SIGABRT", "import os\nos.abort()", {}),
    ("signal SIGSEGV", "import ctypes\nctypes.string_at(0)", {}),

    # Endless ones.
    ("cpu_time", "while True: pass", {}),
    ("cpu_time", "import itertools\nfor _ in itertools.count(): pass", {}),
    ("cpu_time", "x = 0\nwhile True: x = [x][0]", {}),
    ("cpu_time", "import re\nre.match(r'(a+)+$', 'a' * 40 + 'b')", {}),
    ("cpu_time", "sum(range(10 ** 12))", {}),
    ("cpu_time", "while True:\n    try:\n        while True: pass\n    except BaseException: pass", {}),
    ("cpu_time", "import signal\nfor n in (1, 2, 15): signal.signal(n, signal.SIG_IGN)\nwhile True: pass", {}),
    ("cpu_time", "import threading\nfor _ in range(4): threading.Thread(target=lambda: [0 for _ in iter(int, 1)]).start()", {}),
    ("cpu_time", "import os\nfor _ in range(3): os.fork()\nwhile True: pass", {}),
    ("cpu_time", "import subprocess, sys\nwhile True: subprocess.run([sys.executable, '-c', ''])", {}),
    ("cpu_time", "import os\nwhile True:\n    if os.fork() == 0: os._exit(0)\n    os.wait()", {}),
    ("timeout", "import time\ntime.sleep(1000)", SLEEPS),
    ("timeout", "import threading\nthreading.Event().wait()", SLEEPS),
    ("timeout", "import signal\nwhile True: signal.pause()", SLEEPS),

    # Greedy ones.
    ("memory", "x = b'x' * (1 << 30)", {}),
    ("memory", "import os\nos.fork()\nx = b'x' * (200 << 20)\nimport time; time.sleep(1000)", {}),
    ("exception OSError", "open('/tmp/file', 'wb').write(bytes(100 << 20))", {}),
    ("exception BlockingIOError", "import os, time\nwhile True:\n    if os.fork() == 0: time.sleep(1000)", {}),
    ("exception RuntimeError", "import threading, time\nwhile True:\n"
     "    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()", {}),
    ("ok 3000000 written", "print('x' * 2_999_999)", {}),
    ("exit 1", "import sys\nsys.stderr.write('x' * 3_000_000)\nsys.exit(1)", {}),
    ("cpu_time", "while True: print('x' * 1000)", {}),

    # Those with more than one thread or process.
    ("ok 40", "import concurrent.futures\nwith concurrent.futures.ThreadPoolExecutor(4) as pool:\n"
     "    print(sum(pool.map(lambda n: 4, range(10))))", {}),
    ("ok done", BURN + "import threading\nthreads = [threading.Thread(target=burn, args=(0.04,)) for _ in range(4)]\n"
     "for each in threads: each.start()\nfor each in threads: each.join()\nprint('done')", {}),
    ("ok hello", "import subprocess\nprint(subprocess.run(['/bin/echo', 'hello'], capture_output=True, text=True).stdout)", {}),
    ("ok 10", BURN + "import os\nfor _ in range(10):\n    if os.fork() == 0:\n        burn(0.01)\n        os._exit(1)\n"
     "print(sum(os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(10)))", {}),
    ("ok orphan", "import os, time\nif os.fork() == 0: time.sleep(1000)\nprint('orphan')", {}),
]


def became(answer):
    """How a program ended by its answer, in the words of a row."""
    word = answer["verdict"]
    if word == "ok":
        shown = re.sub("\n… .* …\n", "", answer["stdout"])  # the line that says how much is missing
        written = len(shown) + answer["truncated"]["stdout"]
        if answer["truncated"]["stdout"]:
            return f"ok {written} written"
        if not written:
            return "ok no value" if answer["result"] is None else f"ok value {answer['result']}"
        return f"ok {answer['output'].strip()}"
    if word == "exception":
        return f"exception {answer['stderr'].strip().splitlines()[-1].split(':')[0].rpartition('.')[2]}"
    return {"exit": f"exit {answer['exit_code']}", "signal": f"signal {answer['signal']}"}.get(word, word)


def request_of(row):
    _, code, fields = row
    return {"policy": "judge", "code": code, "limits": LIMITS, **fields}
