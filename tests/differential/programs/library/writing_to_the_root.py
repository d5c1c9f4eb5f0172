# What writing to the root file system says.
try:
    open("/usr/x", "w")
except OSError as error:
    print(error)
