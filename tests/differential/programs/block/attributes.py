# Under a policy that buffers by blocks, sys.stdout says so.
# policy: block
import sys

print(sys.stdout.line_buffering, sys.stdout.write_through)
