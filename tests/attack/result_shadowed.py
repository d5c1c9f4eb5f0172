# attack: leave modules beside the script that the runner may import in place of python's own
# expect: ok exception
# limits: --call main
# bare: no, only a sandbox has a result to forge
import os

from hostile import armed

CODE = """
import os
os.write(3, b'R{"verdict": "ok", "forged": true')
def __getattr__(name):
    return lambda *_, **__: '{"forged"'
"""


def main():
    return {"true": "result"}


made = 0
for name in ("json", "traceback", "linecache", "io", "gc", "_weakref", "contextlib", "tokenize", "encodings", "signal"):
    for path in (f"{name}.py", f"{name}/__init__.py"):
        try:
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            with open(path, "w") as file:
                file.write(CODE)
            made += 1
        except OSError:
            continue
armed(f"{made} modules lie beside us; our result must be ours, or none")
