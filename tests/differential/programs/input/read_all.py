# sys.stdin.read() and what comes after it.
# stdin: "one\ntwo\n"
import sys

print(repr(sys.stdin.read()), repr(sys.stdin.read()), repr(sys.stdin.readline()))
