# sys.flags.inspect, interactive and sys.ps1 of a script.
import sys

print(sys.flags.inspect, sys.flags.interactive, hasattr(sys, "ps1"))
