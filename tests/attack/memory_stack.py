# attack: raise the stack's limit, and fill the stack beyond the memory limit
# expect: memory
# limits: --memory 64M --timeout 60
# bare: host
import functools
import resource
import sys
import threading

from hostile import armed, breach, finish

LIMIT, BOUND, MIB = 64, 192, 1 << 20


@functools.lru_cache(None)
def deeper(level):
    """Written in C, so that each level takes some of the C stack."""
    if level % 1000 == 0 and resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > BOUND << 10:
        breach(f"holds {BOUND} MiB of {LIMIT}")
        finish()
    return deeper(level + 1)


resource.setrlimit(resource.RLIMIT_STACK, (resource.getrlimit(resource.RLIMIT_STACK)[1],) * 2)
sys.setrecursionlimit(1 << 30)
threading.stack_size(512 * MIB)
armed(f"{BOUND} MiB of stack are next")
thread = threading.Thread(target=deeper, args=(0,))
thread.start()
thread.join()
