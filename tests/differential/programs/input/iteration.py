# for line in sys.stdin, without a newline at the end of the last line.
# stdin: "a\n\nb\nlast"
import sys

for number, line in enumerate(sys.stdin):
    print(number, repr(line))
