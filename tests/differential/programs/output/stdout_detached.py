# sys.stdout.detach(), and writing to what was detached.
import sys

binary = sys.stdout.detach()
binary.write(b"through the detached buffer\n")
