# attack: have the supervisor follow links when it collects files: swapped to the end by processes that live on
# expect: CONTAINED
# limits: --collect-glob ** --collect-glob /tmp/**
# host: file
# bare: no, there is nobody who collects
import os
import time

from hostile import CANARY_FILE, contained, finish

TARGETS = [CANARY_FILE or "/etc/shadow", "/etc/passwd", "/proc/self/environ", "/proc/1/environ", "../../../etc/passwd"]


def write(path):
    with open(path, "w") as file:
        file.write("CONTAINED\n")


for top in ("/work", "/tmp"):
    os.chdir(top)
    os.mkdir("directory")
    for name in ("swapped", "hostname", "directory/passwd", "directory/hostname"):
        write(name)
    for number, target in enumerate(TARGETS):
        os.symlink(target, f"link{number}")
        if os.fork() == 0:
            while True:
                os.symlink(target, f"next{number}")
                os.replace(f"next{number}", "swapped")
                write(f"next{number}")
                os.replace(f"next{number}", "swapped")
                try:
                    os.rename("directory", f"away{number}")
                    os.symlink("/etc", "directory")
                    os.remove("directory")
                    os.rename(f"away{number}", "directory")
                except OSError:
                    pass  # a brother was here
time.sleep(0.2)
contained("links are being swapped while files are collected")
finish()
