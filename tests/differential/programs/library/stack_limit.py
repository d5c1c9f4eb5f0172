# resource.RLIMIT_STACK with its hard limit.
import resource

print(resource.getrlimit(resource.RLIMIT_STACK))
