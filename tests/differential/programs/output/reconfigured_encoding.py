# sys.stdout.reconfigure(encoding=…): bytes in another encoding.
import sys

print("utf-8: é")
sys.stdout.reconfigure(encoding="latin-1")
print("latin-1: é")
sys.stdout.reconfigure(encoding="ascii", errors="backslashreplace")
print("ascii: é")
