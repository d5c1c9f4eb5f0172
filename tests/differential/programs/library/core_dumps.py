# resource.RLIMIT_CORE: no core dumps.
import resource

print(resource.getrlimit(resource.RLIMIT_CORE))
