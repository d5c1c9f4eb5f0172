# attack: outlive a forbidden door: SIGSYS caught and blocked, and only a thread of several that goes there
# expect: CONTAINED SKIPPED
# bare: host
import ctypes
import mmap
import os
import platform
import signal
import threading
import time

from hostile import breach, contained, finish, skip, unclear

if platform.machine() != "x86_64":
    skip("only x86-64 has other doors")

page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page[:8] = bytes.fromhex("b814000000 cd80 c3")  # mov eax, <getpid of i386>; int 0x80; ret
door = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
readable, writable = os.pipe()
pid = os.fork()
if pid == 0:
    signal.signal(signal.SIGSYS, lambda number, frame: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGSYS, signal.SIGSEGV])
    thread = threading.Thread(target=door)
    thread.start()
    thread.join()
    os.write(writable, b"x")
    time.sleep(0.01)
    os._exit(0)
os.close(writable)
alive = os.read(readable, 1)
_, status = os.waitpid(pid, 0)
if alive:
    breach("the process goes on behind the forbidden door")
elif os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGSYS, signal.SIGSEGV):
    contained(f"all its threads died of {signal.Signals(os.WTERMSIG(status)).name}")
else:
    unclear(f"it ended with {status}")
finish()
