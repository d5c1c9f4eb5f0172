# Which modules a script has at its start.
import sys

print(sorted(sys.modules))
