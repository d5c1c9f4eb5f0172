# Under a policy that buffers by blocks, os._exit loses what plain python3 loses in a pipe.
# policy: block
import os

print("flushed", flush=True)
print("lost")
os._exit(4)
