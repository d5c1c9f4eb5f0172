# sys.stdout.reconfigure(newline="\r\n").
import sys

sys.stdout.reconfigure(newline="\r\n")
print("one")
print("two")
