# attack: leave the dead unburied: children that nobody waits for keep their numbers
# expect: CONTAINED
# limits: --pids 32 --timeout 60
# bare: host
import errno
import os

from hostile import breach, contained, finish, unclear

LIMIT, BOUND = 32, 160

dead = []
readable, writable = os.pipe()
try:
    while len(dead) < BOUND:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        dead.append(pid)
except OSError as error:
    if error.errno != errno.EAGAIN:
        unclear(f"{error} after {len(dead)}")
if len(dead) > LIMIT:
    breach(f"{len(dead)} zombies")
contained(f"{len(dead)} zombies, then EAGAIN")
for pid in dead:
    os.waitpid(pid, 0)
finish()
