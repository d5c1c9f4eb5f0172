# attack: hide memory in the arguments of programs: six megabytes each, on stacks that were made larger
# expect: memory CONTAINED
# limits: --memory 64M --timeout 60
# bare: host
import os
import resource

from hostile import armed, breach, contained, finish

LIMIT, PROGRAMS, SIZE = 64, 20, 6

armed(f"{PROGRAMS} programs with {SIZE} MiB of arguments each")
waiting, hold = os.pipe()
children = []
for _ in range(PROGRAMS):
    started, starting = os.pipe()
    pid = os.fork()
    if pid == 0:
        resource.setrlimit(resource.RLIMIT_STACK, (resource.RLIM_INFINITY,) * 2)
        os.dup2(waiting, 0)
        os.close(hold)
        os.execv("/bin/sh", ["sh", "-c", "read x", *["x" * (131_072 - 16)] * (SIZE * 8 - 2)])
    os.close(starting)
    os.read(started, 1)
    os.close(started)
    children.append(pid)
alive = [pid for pid in children if os.waitpid(pid, os.WNOHANG) == (0, 0)]
if len(alive) * SIZE > LIMIT:
    breach(f"{len(alive)} programs hold {len(alive) * SIZE} MiB of arguments, of {LIMIT}")
contained(f"{len(alive)} programs were let in")
for pid in alive:
    os.kill(pid, 9)
finish()
