# attack: fill the disk by memory: files longer than the space there is, mapped, and page after page touched
# expect: CONTAINED
# limits: --tmp 4M --timeout 60
# bare: host
import mmap
import os
import signal
import tempfile

from hostile import READ_ONLY, breach, contained, finish, unclear

LIMIT, BOUND, MIB = 4, 16, 1 << 20

for place in ("/tmp", os.getcwd(), "/dev/shm"):
    try:
        file = tempfile.TemporaryFile(dir=place)
    except OSError as error:
        if error.errno not in READ_ONLY:
            raise
        contained(f"{place} {error.strerror}")
        continue
    file.truncate(BOUND * MIB)
    memory = mmap.mmap(file.fileno(), BOUND * MIB)
    pid = os.fork()
    if pid == 0:
        # SIGBUS, where no page is to be had.
        for offset in range(0, BOUND * MIB, 4096):
            memory[offset] = 1
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    held = os.fstat(file.fileno()).st_blocks * 512
    if held > LIMIT * MIB:
        breach(f"{place}: {held >> 10} KiB, of {LIMIT} MiB")
    elif os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGBUS:
        contained(f"{place}: SIGBUS after {held >> 10} KiB")
    else:
        unclear(f"{place}: {status} after {held >> 10} KiB")
    memory.close()
    file.close()
finish()
