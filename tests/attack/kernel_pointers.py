# attack: have allowed calls write into the kernel's own memory (CVE-2017-5123, CVE-2008-0600)
# expect: CONTAINED
# bare: no, only Linux 4.13 wrote for waitid, and 2.6.24 for vmsplice, without looking where
import os
import signal

from hostile import breach, call, contained, finish, unclear

EFAULT, EINVAL = 14, 22
P_ALL, WNOHANG, WEXITED, CLOCK_MONOTONIC = 0, 1, 4, 1
# The kernel's half of the address space: its direct map, its text, the end, and no address at all.
ADDRESSES = (-0x7800_0000_0000, -0x7F00_0000, -4096, -0x8000_0000_0000, 1 << 62)

pid = os.fork()
if pid == 0:
    signal.pause()
with open(os.__file__, "rb") as file:
    readable, writable = os.pipe()
    for address in ADDRESSES:
        for name, arguments in (
            ("waitid", (P_ALL, 0, address, WEXITED | WNOHANG, 0)),
            ("uname", (address,)),
            ("getrandom", (address, 8, 0)),
            ("clock_gettime", (CLOCK_MONOTONIC, address)),
            ("pread64", (file.fileno(), address, 8, 0)),
            ("sysinfo", (address,)),
            ("vmsplice", (writable, address, 1, 0)),
        ):
            try:
                call(name, *arguments)
            except OSError as error:
                if error.errno in (EFAULT, EINVAL):
                    contained(f"{name} takes no address of the kernel's")
                else:
                    unclear(f"{name} {address:#x}: {error}")
            else:
                breach(f"{name} wrote to {address:#x}")
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
finish()
