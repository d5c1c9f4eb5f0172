# attack: take huge pages, which no memory limit counts, by mmap, memfd and shared memory
# expect: CONTAINED
# bare: no, hosts have none set aside unless they are told to
import mmap
import os

from hostile import FILTERED, call, finish, refused

MAP_HUGETLB, MFD_HUGETLB, SHM_HUGETLB = 0x40000, 4, 0o4000
ENOMEM, EINVAL, ENOENT = 12, 22, 2


def huge_memfd():
    descriptor = os.memfd_create("attack", MFD_HUGETLB)
    os.ftruncate(descriptor, 2 << 20)
    mmap.mmap(descriptor, 2 << 20)[0] = 1
    return descriptor


# ENOMEM: the host has none; EINVAL and ENOENT: its kernel knows none.
EXPECTED = FILTERED + (ENOMEM, EINVAL, ENOENT)
flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_HUGETLB
refused("mmap", EXPECTED, mmap.mmap, -1, 2 << 20, flags)
refused("memfd_create", EXPECTED, huge_memfd)
refused("shmget", EXPECTED, call, "shmget", 0, 2 << 20, SHM_HUGETLB | 0o1600)
finish()
