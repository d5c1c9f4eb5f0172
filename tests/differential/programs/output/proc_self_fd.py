# open("/proc/self/fd/1", "w") and /dev/stderr.
with open("/proc/self/fd/1", "w") as out:
    print("through /proc", file=out)
with open("/dev/stderr", "w") as err:
    print("through /dev/stderr", file=err)
