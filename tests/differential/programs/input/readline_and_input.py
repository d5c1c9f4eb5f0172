# readline(), input() and read(n) on one stream.
# stdin: "first\nsecond\nthird and more\n"
import sys

print(repr(sys.stdin.readline()), repr(input()), repr(sys.stdin.read(5)), repr(sys.stdin.readlines()))
