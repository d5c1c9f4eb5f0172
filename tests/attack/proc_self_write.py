# attack: write to what our own /proc directory has: read-only memory, labels, dump filters, timers, login ids
# expect: CONTAINED
# bare: host
from hostile import ABSENT, READ_ONLY, finish, refused

for name in (
    "attr/apparmor/exec",
    "attr/current",
    "attr/exec",
    "attr/fscreate",
    "autogroup",
    "clear_refs",
    "comm",
    "coredump_filter",
    "latency",
    "loginuid",
    "make-it-fail",
    "mem",
    "oom_adj",
    "oom_score_adj",
    "projid_map",
    "sched",
    "timens_offsets",
    "timerslack_ns",
    "../thread-self/mem",
    "task/../mem",
):
    # Opened, not written to: FOLL_FORCE would write to pages that are read-only for everybody else.
    path = f"/proc/self/{name}"
    refused(path, READ_ONLY + ABSENT, open, path, "r+b", 0)
finish()
