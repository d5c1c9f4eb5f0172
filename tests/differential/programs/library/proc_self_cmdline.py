# /proc/self/cmdline, as tools that list processes show it.
print(open("/proc/self/cmdline").read().split("\0"))
