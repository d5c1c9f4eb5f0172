# Under a policy that buffers by blocks, a signal loses what was not flushed.
# policy: block
import os
import signal

print("lost")
os.kill(os.getpid(), signal.SIGTERM)
