"""Runs modules, or classes of them, of CPython's test suite and tells the outcome of each test.

    sandbox-run --call called suite.py MODULE…                {test: outcome} is the result
    python3 -c 'import suite; suite.tell()' MODULE…           … is the last line of the output

Outcomes are ok, skipped, expected, failed; of the last the first line of the reason is told too.
The same file runs inside the sandbox and outside."""

import importlib
import io
import json
import os
import sys
import unittest


class Outcomes(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.found = {}

    def _tell(self, test, outcome, reason=""):
        name = test.id()
        if self.found.get(name, ["ok"])[0] in ("ok", "skipped"):  # the worst of its subtests
            self.found[name] = [outcome, reason]

    def addSuccess(self, test):
        self._tell(test, "ok")

    def addError(self, test, err):
        self._tell(test, "failed", f"{err[0].__name__}: {err[1]}"[:300])

    addFailure = addError

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.addError(test, err)

    def addSkip(self, test, reason):
        self._tell(test, "skipped", reason)

    def addExpectedFailure(self, test, err):
        self._tell(test, "expected")

    def addUnexpectedSuccess(self, test):
        self._tell(test, "failed", "unexpected success")


def tests_of(suite):
    for part in suite:
        if isinstance(part, unittest.TestSuite):
            yield from tests_of(part)
        else:
            yield part


def run(name, outcomes):
    """As CPython's own runner does it: some modules make their tests in load_tests() or test_main(), and what else is
    found in them fails."""
    try:
        module, chosen = importlib.import_module(name), None
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        module, chosen = importlib.import_module(name.rpartition(".")[0]), f"{name}."  # a class
    if hasattr(module, "test_main"):
        module.test_main()
    else:
        suite = unittest.defaultTestLoader.loadTestsFromModule(module)
        if chosen:
            suite = unittest.TestSuite(test for test in tests_of(suite) if test.id().startswith(chosen))
        suite.run(outcomes)


def main():
    names = [f"test.{name}" for name in sys.argv[1:]]
    from test import support
    from test.support import os_helper

    support.use_resources = []  # no network, no large files, nothing that takes long
    support.verbose = 0
    outcomes = Outcomes()
    support._run_suite = lambda suite: suite.run(outcomes)  # where test_main() ends
    with os_helper.temp_cwd("tests"):
        for name in names:
            run(name, outcomes)
    support.reap_children()
    return outcomes.found


def called():
    """main(), as deep on the stack as where a script calls tell(): some tests count frames."""
    return (lambda: main())()


def tell():
    # What tests print, and their children, must not come between us and the reader.
    out = os.dup(1)
    os.dup2(2, 1)
    found = main()
    with io.open(out, "w") as file:
        file.write("\n" + json.dumps(found) + "\n")
    os._exit(0)
