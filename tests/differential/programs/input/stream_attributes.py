# What sys.stdin is: no terminal, its name, mode, encoding.
import os
import stat
import sys

print(sys.stdin.isatty(), sys.stdin.fileno(), sys.stdin.name, sys.stdin.mode, sys.stdin.encoding, sys.stdin.errors)
print(sys.stdin.readable(), sys.stdin.writable(), sys.stdin.seekable(), stat.S_ISFIFO(os.fstat(0).st_mode))
