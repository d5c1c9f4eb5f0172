# io.TextIOWrapper(sys.stdout.detach()), another common line of judges' solutions.
import io
import sys

sys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding="utf-8", errors="replace", newline="\n")
print("é", "\ud800")
