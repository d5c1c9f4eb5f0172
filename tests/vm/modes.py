"""A plugin of pytest's (-p modes): keeps the tests that are marked for this mode of the virtual machine. What can't
differ there from what it is elsewhere is not worth a second of emulation."""

import os


def pytest_collection_modifyitems(config, items):
    mode = os.environ["SANDBOX_TEST_MODE"]
    kept, left = [], []
    for item in items:
        mark = item.get_closest_marker("vm")
        runs = mark is not None and mode in (mark.args or ("root", "delegated", "user"))
        (kept if runs else left).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left)
