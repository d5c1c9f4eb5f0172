# Text of standard input that is not UTF-8: UnicodeDecodeError.
# stdin: b"caf\xe9\n"
import sys

print(sys.stdin.encoding, sys.stdin.errors)
input()
