# All 256 bytes on standard output.
import sys

sys.stdout.buffer.write(bytes(range(256)))
