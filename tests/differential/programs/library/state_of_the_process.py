# What the script's process inherits: blocking and inheritable descriptors, signals, priority, scheduling.
import faulthandler
import os
import signal
import stat
import sys
import threading

print([(os.get_blocking(fd), os.get_inheritable(fd), stat.S_ISFIFO(os.fstat(fd).st_mode)) for fd in range(3)])
print(signal.pthread_sigmask(signal.SIG_BLOCK, []), os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0))
print(faulthandler.is_enabled(), threading.stack_size(), sys.get_asyncgen_hooks(), sys.getdlopenflags(), os.getcwdb())
print(sys.get_coroutine_origin_tracking_depth(), sys.get_int_max_str_digits(), signal.getitimer(signal.ITIMER_REAL))
print(signal.set_wakeup_fd(-1), sys.is_finalizing(), sys.float_repr_style, sys.pycache_prefix, sys.tracebacklimit if hasattr(sys, "tracebacklimit") else None)
