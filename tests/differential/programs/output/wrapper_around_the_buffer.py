# TextIOWrapper(sys.stdout.buffer) in place of stdout after a first print.
# lines: yes
import io
import sys

print("first")
sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8")
print("second äöü")
