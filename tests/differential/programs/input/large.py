# More than a pipe holds.
# stdin: "12345\n" * 50_000
import sys

print(sum(map(int, sys.stdin)))
