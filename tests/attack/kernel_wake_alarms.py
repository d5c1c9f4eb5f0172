# attack: wake the host out of its sleep, and keep it awake: clocks with an alarm
# expect: CONTAINED
# bare: host
import ctypes
import errno

from hostile import FILTERED, call, finish, refused

CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM = 8, 9
# EOPNOTSUPP: this machine has no clock that could.
NO_CLOCK = FILTERED + (errno.EOPNOTSUPP,)

for name, clock in (("real time", CLOCK_REALTIME_ALARM), ("boot time", CLOCK_BOOTTIME_ALARM)):
    refused(f"timerfd, {name}", FILTERED, call, "timerfd_create", clock, 0)
    timer = ctypes.c_int()
    refused(f"timer, {name}", NO_CLOCK, call, "timer_create", clock, None, timer)
finish()
