#!/usr/bin/python3
"""Names of test files and of modules beside them are unique among all folders of tests: pytest imports them without
packages, so that of two files with one name only the first would be imported, and tests/README.md finds tests by name.

    tests/lint/names.py     says which names are shared, and ends with 1 when any is
"""

import collections
import pathlib
import subprocess
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
# conftest.py is pytest's own name. Others are programs that no test imports.
ALONE = {"conftest.py"}
NOT_IMPORTED = ("attack", "differential/programs", "lint")


def files():
    """The tests' Python files that git has, or would take."""
    listed = subprocess.run(["git", "ls-files", "-z", "-c", "-o", "--exclude-standard", "*.py"], cwd=TESTS, check=True,
                            capture_output=True, text=True).stdout
    return [pathlib.PurePath(name) for name in listed.split("\0") if name and (TESTS / name).exists()]


def shared(paths):
    """(name, its paths) of each name that two files have."""
    named = collections.defaultdict(list)
    for path in paths:
        here = any(path.is_relative_to(folder) for folder in NOT_IMPORTED)
        if path.name not in ALONE and (not here or path.name.startswith("test_")):
            named[path.name].append(str(path))
    return [(name, found) for name, found in sorted(named.items()) if len(found) > 1]


if __name__ == "__main__":
    found = shared(files())
    for name, paths in found:
        print(f"tests: {', '.join(paths)} share the name {name}: rename all but one")
    if not found:
        print("names are unique")
    sys.exit(1 if found else 0)
