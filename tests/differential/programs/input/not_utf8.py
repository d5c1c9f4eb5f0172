# Bytes on standard input that are not UTF-8.
# stdin: b"caf\xe9\n"
import sys

print(sys.stdin.buffer.read())
