# attack: make the kernel's out-of-memory killer take somebody else, and leave core dumps
# expect: CONTAINED
# bare: host
import resource

from hostile import ABSENT, READ_ONLY, breach, contained, finish, refused


def lower(value):
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write(str(value))
    return value


before = int(open("/proc/self/oom_score_adj").read())
if before < 0:
    breach(f"oom_score_adj is {before}: others die first")
refused("oom_score_adj -1000", ABSENT + READ_ONLY, lower, -1000)
refused("oom_score_adj below ours", ABSENT + READ_ONLY, lower, before - 1)
if resource.getrlimit(resource.RLIMIT_CORE)[1] > 1:
    breach(f"core dumps of {resource.getrlimit(resource.RLIMIT_CORE)} bytes")
contained(f"oom_score_adj {before}, no core dumps")
finish()
