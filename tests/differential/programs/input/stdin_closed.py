# sys.stdin.close() and input() afterwards.
# stdin: "never read\n"
import sys

sys.stdin.close()
try:
    input()
except ValueError as error:
    print(error)
