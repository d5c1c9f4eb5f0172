"""The zygotes of a service."""

import os
import pathlib

from processes import descendants, living

# Policies of which the service's own root file system has all that they preload.
READY = 6


def zygotes(server):
    """The pids of the processes that jobs are forked from."""
    found = []
    for pid in living(descendants(server.pid)):
        try:
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            namespace = os.readlink(f"/proc/{pid}/ns/pid")
        except OSError:
            continue
        # A child of one has its command line, but a pid namespace of its own. That which wants numpy is there in some
        # root file systems alone.
        if b"numpy" not in words and words[1:2] == [b"-c"] and words[2].endswith(b"# a zygote of sandbox-run") and namespace == os.readlink("/proc/self/ns/pid"):
            found.append(pid)
    return found
