# attack: use up descriptors, and raise every limit on resources
# expect: CONTAINED
# limits: --open-files 64
# bare: host
import ctypes
import errno
import os
import resource
import struct

from hostile import DENIED, breach, call, contained, finish, refused, unclear

LIMIT, BOUND = 64, 2000


def raise_limit(which, soft, hard):
    """As prlimit64, which the filter may answer without the kernel: then nothing must have changed."""
    before = resource.getrlimit(which)
    call("prlimit64", 0, which, ctypes.create_string_buffer(struct.pack("qq", soft, hard), 16), 0)
    if resource.getrlimit(which) == before:
        raise PermissionError(errno.EPERM, "answered, and not done")
    return resource.getrlimit(which)


for name in dir(resource):
    if not name.startswith("RLIMIT_"):
        continue
    which = getattr(resource, name)
    soft, hard = resource.getrlimit(which)
    if hard == resource.RLIM_INFINITY:
        continue
    refused(name, DENIED, raise_limit, which, soft, hard + 1)
    refused(f"{name} infinite", DENIED, raise_limit, which, -1, -1)

kept = []
try:
    while len(kept) < BOUND:
        kept.append(os.open("/", os.O_RDONLY))
except OSError as error:
    if error.errno != errno.EMFILE:
        unclear(str(error))
if len(kept) > LIMIT:
    breach(f"{len(kept)} descriptors, of {LIMIT}")
refused("dup2 above", (errno.EBADF, errno.EINVAL, errno.EMFILE), os.dup2, 0, LIMIT)
contained(f"{len(kept)} descriptors, then EMFILE")
finish()
