# attack: take precedence over others: from the lowest priority back up, by every way that there is
# expect: CONTAINED
# bare: host
import ctypes
import os
import resource
import struct

from hostile import ABSENT, DENIED, READ_ONLY, call, contained, finish, in_child, refused

IOPRIO_WHO_PROCESS, REAL_TIME, BEST_EFFORT, IDLE = 1, 1, 2, 3


def idle_and_back():
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    os.setpriority(os.PRIO_PROCESS, 0, 19)
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def deadline():
    attributes = struct.pack("IIQiIQQQ", 48, 6, 0, 0, 0, 1_000_000, 10_000_000, 10_000_000)
    call("sched_setattr", 0, ctypes.create_string_buffer(attributes, 48), 0)


def written(path, text):
    with open(path, "w") as file:
        file.write(text)
    return text


for nice in (-20, -1, os.getpriority(os.PRIO_PROCESS, 0) - 1):
    refused(f"nice {nice}", DENIED, in_child, os.setpriority, os.PRIO_PROCESS, 0, nice)
refused("nice 19 and back", DENIED, in_child,
        lambda: (os.setpriority(os.PRIO_PROCESS, 0, 19), os.setpriority(os.PRIO_PROCESS, 0, 18)))
refused("SCHED_IDLE and back", DENIED, in_child, idle_and_back)
for name in ("FIFO", "RR"):
    policy = getattr(os, f"SCHED_{name}")
    refused(name, DENIED, in_child, os.sched_setscheduler, 0, policy, os.sched_param(1))
refused("SCHED_DEADLINE", DENIED, in_child, deadline)
for which in ("NICE", "RTPRIO"):
    limit = (ctypes.c_uint64 * 2)(40, 40)
    refused(f"RLIMIT_{which}", DENIED, in_child, call, "prlimit64", 0,
            {"NICE": 13, "RTPRIO": 14}[which], limit, 0)
for kind, level in ((REAL_TIME, 0), (BEST_EFFORT, 0)):
    refused(f"ioprio {kind}/{level}", DENIED, in_child, call, "ioprio_set", IOPRIO_WHO_PROCESS, 0,
            kind << 13 | level)
refused("autogroup", ABSENT + READ_ONLY, written, "/proc/self/autogroup", "-20")
refused("timerslack", ABSENT + READ_ONLY, written, "/proc/1/timerslack_ns", "1")
contained(f"nice {os.getpriority(os.PRIO_PROCESS, 0)}, {resource.getrlimit(13)} of RLIMIT_NICE")
finish()
