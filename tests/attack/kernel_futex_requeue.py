# attack: confuse the owners of futexes: a queue that is moved onto itself (CVE-2014-3153, "towelroot")
# expect: CONTAINED
# bare: no, only kernels before 3.14.6 let it
import ctypes

from hostile import breach, call, contained, finish, unclear

EINVAL, ENOSYS, EPERM = 22, 38, 1
FUTEX_CMP_REQUEUE_PI, FUTEX_PRIVATE = 12, 128

words = (ctypes.c_uint * 2)()
address = ctypes.addressof(words)
for name, flags, target in (
    ("onto itself", FUTEX_PRIVATE, address),
    ("onto itself, shared", 0, address),
    ("onto no address", FUTEX_PRIVATE, address + 1),
):
    try:
        call("futex", address, FUTEX_CMP_REQUEUE_PI | flags, 1, 1, target, 0)
    except OSError as error:
        if error.errno in (EINVAL, ENOSYS, EPERM):
            contained(f"{name}: {error.strerror}")
        else:
            unclear(f"{name}: {error}")
    else:
        breach(f"a futex is moved {name}")
finish()
