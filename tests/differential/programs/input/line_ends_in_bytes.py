# Bytes of standard input as they are.
# stdin: "a\r\nb\rc\0\n"
import sys

print(sys.stdin.buffer.read())
