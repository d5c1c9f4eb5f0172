# Under a policy that buffers by blocks, parent and child both write what was printed before the fork.
# policy: block
import os

print("twice")
pid = os.fork()
if pid:
    os.waitpid(pid, 0)
