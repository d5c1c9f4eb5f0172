# attack: hamper pid 1: its rlimits, CPU affinity, priority, memory placement, out-of-memory score
# expect: CONTAINED
# bare: namespaces
import ctypes
import os
import struct

from hostile import ABSENT, DENIED, call, finish, in_child, refused

RLIMIT_CPU, RLIMIT_NOFILE, RLIMIT_FSIZE = 0, 7, 1

for name, which in (("CPU", RLIMIT_CPU), ("NOFILE", RLIMIT_NOFILE), ("FSIZE", RLIMIT_FSIZE)):
    limit = ctypes.create_string_buffer(struct.pack("QQ", 1, 1), 16)
    refused(f"prlimit {name}", DENIED, call, "prlimit64", 1, which, limit, 0)
    # The kernel reads an int.
    refused(f"prlimit {name} high bits", DENIED, call, "prlimit64", 1 | 1 << 32, which, limit, 0)
mask = ctypes.create_string_buffer(b"\1" + bytes(127), 128)
refused("sched_setaffinity", DENIED, call, "sched_setaffinity", 1, 128, mask)
refused("SCHED_IDLE", DENIED, os.sched_setscheduler, 1, os.SCHED_IDLE, os.sched_param(0))
refused("nice 19", DENIED, os.setpriority, os.PRIO_PROCESS, 1, 19)
refused("nice 19 of its group", DENIED, os.setpriority, os.PRIO_PGRP, os.getpgid(1) or 1, 19)
refused("nice 19 of its user", DENIED, in_child, os.setpriority, os.PRIO_USER, 0, 19)
refused("ioprio idle", DENIED, call, "ioprio_set", 1, 1, 3 << 13)
nodes = ctypes.create_string_buffer(b"\1" + bytes(7), 8)
refused("migrate_pages", DENIED, call, "migrate_pages", 1, 64, nodes, nodes)
refused("oom_score_adj", ABSENT, lambda: open("/proc/1/oom_score_adj", "w").write("1000"))
refused("coredump_filter", ABSENT, lambda: open("/proc/1/coredump_filter", "w").write("0"))
refused("timerslack_ns", ABSENT, lambda: open("/proc/1/timerslack_ns", "w").write("1"))
finish()
