# Leaves something behind, if it can.
import pathlib

for directory in ["/", "/etc", "/tmp", "/work", "/usr/lib/python3", "/dev/shm", "/root"]:
    try:
        pathlib.Path(directory, "i-was-here").write_text("x" * 1_000_000)
        print(f"{directory}: written!")
    except OSError as error:
        print(f"{directory}: {error.strerror}")
