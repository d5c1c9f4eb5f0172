# attack: enter the kernel by another door: 32-bit int 0x80, the x32 call numbers
# expect: CONTAINED SKIPPED
# bare: host
import ctypes
import mmap
import os
import platform
import signal

from hostile import breach, contained, finish, skip, unclear

if platform.machine() != "x86_64":
    skip("only x86-64 has other doors")

EPERM, ENOSYS = 1, 38
DOORS = {
    # mov eax, <getpid of i386>; int 0x80; ret
    "int 0x80": bytes.fromhex("b814000000 cd80 c3"),
    # mov eax, 0x40000000 + <getpid>; syscall; ret
    "x32": bytes.fromhex("b827000040 0f05 c3"),
    # The number above 31 bits, which the kernel cuts off: mov rax, imm64; syscall; ret
    "x32 sign": bytes.fromhex("48b8270000c0ffffffff 0f05 c3"),
}

page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
for name, code in DOORS.items():
    page[: len(code)] = code
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        value = ctypes.CFUNCTYPE(ctypes.c_int)(address)()
        os.write(writable, b"%d %d" % (value, os.getpid()))
        os._exit(0)
    os.close(writable)
    _, status = os.waitpid(child, 0)
    answer = os.read(readable, 64).split()
    if os.WIFSIGNALED(status):
        # SIGSEGV: this kernel has no such door at all.
        if os.WTERMSIG(status) in (signal.SIGSYS, signal.SIGSEGV):
            contained(f"{name} {signal.Signals(os.WTERMSIG(status)).name}")
        else:
            unclear(f"{name} {status}")
    elif answer[0] == answer[1]:
        breach(f"{name} answers getpid")
    elif int(answer[0]) in (-EPERM, -ENOSYS):
        contained(f"{name} {answer[0].decode()}")
    else:
        unclear(f"{name} {answer}")
finish()
