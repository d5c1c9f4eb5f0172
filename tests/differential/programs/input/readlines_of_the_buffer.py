# sys.stdin.buffer.readline, as fast solutions have it.
# stdin: "2\n10 20\n"
import sys

read = sys.stdin.buffer.readline
n = int(read())
print(n, sum(map(int, read().split())), read())
