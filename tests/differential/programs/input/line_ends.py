# \r\n and \r in text are \n; in the buffer they stay.
# stdin: "a\r\nb\rc\n"
import sys

print(repr(sys.stdin.read()))
