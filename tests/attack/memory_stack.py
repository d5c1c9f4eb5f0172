# attack: raise the stack's limit, and fill the stack beyond the memory limit
# expect: memory
# limits: --memory 64M --timeout 60
# bare: host
import contextlib
import ctypes
import functools
import resource
import sys
import threading

from hostile import armed, breach, finish

LIMIT, BOUND, STACK, MIB = 64, 192, 512, 1 << 20


def held():
    if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > BOUND << 10:
        breach(f"holds {BOUND} MiB of {LIMIT}")
        finish()


@functools.lru_cache(None)
def deeper(level):
    """Written in C, so that each level takes some of the C stack."""
    if level % 1000 == 0:
        held()
    return deeper(level + 1)


def fill():
    # From 3.12 on Python counts the frames of C by itself: then without frames. The variables of a thread, as errno,
    # are at the top of its stack.
    with contextlib.suppress(RecursionError):
        deeper(0)
    top = ctypes.CDLL(None).__errno_location
    top.restype = ctypes.c_void_p
    for level in range(2, STACK):
        ctypes.memset(top() - level * MIB, 1, MIB)
        held()


resource.setrlimit(resource.RLIMIT_STACK, (resource.getrlimit(resource.RLIMIT_STACK)[1],) * 2)
sys.setrecursionlimit(1 << 30)
threading.stack_size(STACK * MIB)
armed(f"{BOUND} MiB of stack are next")
thread = threading.Thread(target=fill)
thread.start()
thread.join()
