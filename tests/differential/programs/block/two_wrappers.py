# Under a policy that buffers by blocks, two wrappers of one buffer lose what plain python3 loses.
# policy: block
import io
import sys

print("first")
sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8")
print("second")
