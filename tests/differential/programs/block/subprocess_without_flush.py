# Under a policy that buffers by blocks, a child's output comes before what its parent had not flushed.
# policy: block
import subprocess

print("first")
subprocess.run(["echo", "second"], check=True)
