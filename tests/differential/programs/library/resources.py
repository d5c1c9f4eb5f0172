# resource: the limit on descriptors, lowering it, and the soft one on the stack.
import resource

print(resource.getrlimit(resource.RLIMIT_STACK)[0], resource.getrlimit(resource.RLIMIT_NOFILE))
resource.setrlimit(resource.RLIMIT_NOFILE, (10, 10))
kept = []
try:
    while True:
        kept.append(open("/dev/null"))
except OSError as error:
    print(error.errno)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 1000)
