# /dev/null, /dev/zero, /dev/full, /dev/urandom.
print(open("/dev/null").read(), open("/dev/zero", "rb").read(3), len(open("/dev/urandom", "rb").read(5)))
with open("/dev/full", "w") as full:
    full.write("x")
