#!/usr/bin/python3
"""Which folder of src may include from which: the layers of ARCHITECTURE.md, checked from the #includes.

    tests/lint/layers.py            says what includes from where it may not, and ends with 1 when anything does
    tests/lint/layers.py --count    counts: files, arrows and circles by #include, lengths of files and functions
"""

import collections
import pathlib
import re
import sys

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = CHECKOUT / "src"

# A folder may include from itself, from those named here, and the public header. Each names none below it, so that
# there are no circles.
LAYERS = {
    "common": [],
    "policy": ["common"],
    "cgroup": ["common"],
    "seccomp": ["common"],
    "inside": ["common", "policy", "cgroup"],
    "zygote": ["common", "cgroup", "inside"],
    "core": ["common", "policy", "cgroup", "seccomp", "inside", "zygote"],
    "warm": ["common", "policy", "cgroup", "seccomp", "inside", "zygote", "core"],
    "cli": ["common"],
    "serve/process": ["common"],
    "serve/config": ["common", "serve/process"],
    "serve/store": ["common", "serve/process", "serve/config"],
    "serve/contracts": ["common"],
    "serve/web": ["common"],
    "serve/http": ["common", "serve/process", "serve/config", "serve/contracts", "serve/web"],
    "serve/jobs": ["common", "serve/process", "serve/store", "serve/config", "serve/contracts", "serve/http"],
    "serve/api": [
        "common", "serve/process", "serve/store", "serve/config", "serve/contracts", "serve/http", "serve/jobs",
    ],
    "serve": ["common", "serve/process", "serve/config", "serve/http", "serve/jobs", "serve/api"],
}
FUNCTION = re.compile(r"^[a-z_][^;{}#]*\)\n\{\n(.*?)^\}$", re.M | re.S)


def files():
    return sorted(path for suffix in ("c", "h") for path in SOURCE.rglob(f"*.{suffix}"))


def folder(path):
    return str(path.relative_to(SOURCE).parent)


def includes(path):
    """(line, name) of each #include of ours."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = re.match(r'#include "([^"]+)"', line)
        if found:
            yield number, found[1]


def faults():
    order = list(LAYERS)
    for name, below in LAYERS.items():
        if any(order.index(other) >= order.index(name) for other in below):
            yield f"tests/lint/layers.py: {name} stands above what it may include"
    for path in files():
        here, at = folder(path), path.relative_to(CHECKOUT)
        if here not in LAYERS:
            yield f"{at}: the folder {here} has no row in tests/lint/layers.py"
            continue
        for number, name in includes(path):
            there = str(pathlib.PurePath(name).parent)
            if name == "sandbox.h":
                continue
            if there not in LAYERS:
                yield f'{at}:{number}: "{name}" does not name its folder below src'
            elif there != here and there not in LAYERS[here]:
                yield f"{at}:{number}: {here} may not include from {there}: {', '.join(LAYERS[here]) or 'nothing'} it may"


def circles(arrows):
    """Groups of files that include each other, by way of others too."""
    reach = {name: set(next_to) for name, next_to in arrows.items()}
    for middle in list(reach):
        for name in reach:
            if middle in reach[name]:
                reach[name] |= reach[middle]
    return {frozenset(other for other in reach[name] if name in reach.get(other, ())) for name in reach
            if name in reach[name]}


def count():
    per_folder = collections.Counter(folder(path) for path in files())
    arrows = {str(path.relative_to(SOURCE)): [name for _, name in includes(path) if name != "sandbox.h"] for path in files()}
    between = collections.Counter((folder(path), str(pathlib.PurePath(name).parent)) for path in files()
                                  for _, name in includes(path))
    print("files a folder:", ", ".join(f"{name} {number}" for name, number in sorted(per_folder.items())))
    print("arrows between folders:", len({pair for pair in between if pair[0] != pair[1] and pair[1] != "."}))
    print("arrows between files:", sum(map(len, arrows.values())), "circles:", len(circles(arrows)))
    lengths = sorted(((len(path.read_text().splitlines()), str(path.relative_to(CHECKOUT))) for path in files()), reverse=True)
    print("longest files:", ", ".join(f"{name} {number}" for number, name in lengths[:5]))
    functions = sorted(((match[1].count("\n"), str(path.relative_to(CHECKOUT))) for path in files()
                        for match in FUNCTION.finditer(path.read_text())), reverse=True)
    middle = functions[len(functions) // 2][0]
    print(f"functions: {len(functions)}, median {middle} lines, longest",
          ", ".join(f"{number} ({name})" for number, name in functions[:3]))


if __name__ == "__main__":
    if sys.argv[1:] == ["--count"]:
        count()
    else:
        found = list(faults())
        print("\n".join(found) or "the layers hold")
        sys.exit(1 if found else 0)
