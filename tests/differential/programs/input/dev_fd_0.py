# /proc/self/fd/0 and /dev/fd/0.
# stdin: "one\n"
with open("/dev/fd/0", "rb") as file:
    print(file.read(), open("/proc/self/fd/0").read())
