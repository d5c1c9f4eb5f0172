# attack: open the pipes of process 1, on which the supervisor is told how we ended, and ours by its name
# expect: CONTAINED
# bare: namespaces
import os

from hostile import ABSENT, DENIED, call, contained, finish, refused

for pid in {1, os.getppid()}:
    for path in (f"/proc/{pid}/fd", f"/proc/{pid}/task/{pid}/fd", f"/proc/self/../{pid}/fd"):
        refused(path, ABSENT, os.listdir, path)
        for descriptor in range(32):
            for flags in (os.O_RDONLY, os.O_WRONLY, os.O_PATH):
                refused("open", ABSENT, os.open, f"{path}/{descriptor}", flags)
            refused("readlink", ABSENT, os.readlink, f"{path}/{descriptor}")
    try:
        handle = call("pidfd_open", pid, 0)
    except OSError as error:
        contained(f"pidfd_open {error.strerror}")
        continue
    for descriptor in range(8):
        refused("pidfd_getfd", DENIED, call, "pidfd_getfd", handle, descriptor, 0)
finish()
