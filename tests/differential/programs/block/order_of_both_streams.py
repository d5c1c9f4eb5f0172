# Under a policy that buffers by blocks, stderr comes before stdout in one stream.
# policy: block
# merge: yes
import sys

print("out")
print("err", file=sys.stderr)
raise ValueError("end")
