# resource.RLIMIT_FSIZE, and what a larger file than there is room for says.
import resource

print(resource.getrlimit(resource.RLIMIT_FSIZE))
