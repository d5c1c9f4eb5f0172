# open("/dev/stdout", "w") held by the module.
out = open("/dev/stdout", "w")
out.write("through /dev/stdout\n")
