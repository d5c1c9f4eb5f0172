# sys.stdin.reconfigure(errors="surrogateescape") and back.
# stdin: b"caf\xe9\n"
import sys

sys.stdin.reconfigure(errors="surrogateescape")
line = input()
print(ascii(line), line.encode("utf-8", "surrogateescape"))
