# attack: memory that even the kernel can't look into, locked and out of its own map (memfd_secret)
# expect: CONTAINED
# bare: host
import os

from hostile import FILTERED, call, finish, refused

# ENOSYS also where the kernel has it switched off.
for flags in (0, os.O_CLOEXEC):
    descriptor = refused(f"memfd_secret {flags}", FILTERED, call, "memfd_secret", flags)
    if descriptor is not None:
        os.close(descriptor)
finish()
