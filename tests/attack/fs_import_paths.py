# attack: leave code for the next job: modules, .pth files, sitecustomize, caches, a library that is always loaded
# expect: CONTAINED
# bare: host
import os
import sys
import sysconfig

from hostile import ABSENT, READ_ONLY, finish, refused

OURS = {"", os.getcwd(), os.path.dirname(os.path.abspath(sys.argv[0])), "/work"}
CREATE = os.O_CREAT | os.O_EXCL | os.O_WRONLY


def made(path):
    """Gone again at once."""
    os.close(os.open(path, CREATE))
    os.unlink(path)
    return "a new file"


directories = set(sys.path) | set(sysconfig.get_paths().values()) | {
    "/usr/lib/python3/dist-packages", "/usr/local/lib/python3.11/dist-packages", "/etc/python3.11", "/etc/ld.so.conf.d",
    os.path.dirname(os.__file__) + "/__pycache__", os.path.dirname(os.__file__) + "/encodings"}
for directory in sorted(directories - OURS):
    if os.path.isdir(directory):
        for name in (f"attack{os.getpid()}.pth", f"attack{os.getpid()}.py"):
            refused(f"{directory}/{name}", READ_ONLY, made, os.path.join(directory, name))
cached = os.__cached__ if hasattr(os, "__cached__") else None
for path in ("/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/environment", "/etc/profile", cached,
             os.path.dirname(os.__file__) + "/sitecustomize.py", sys.modules["encodings"].__file__):
    if path and os.path.exists(path):
        refused(path, READ_ONLY + ABSENT, open, path, "r+b", 0)
refused("/etc/ld.so.preload", READ_ONLY, made, "/etc/attack.ld.so.preload")
finish()
