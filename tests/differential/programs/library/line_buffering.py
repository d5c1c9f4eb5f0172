# sys.stdout.line_buffering: the sandbox buffers by lines.
import sys

print(sys.stdout.line_buffering)
