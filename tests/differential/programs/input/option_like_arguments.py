# sys.argv with what sandbox-run and python3 would take for options.
# args: - -- -i --json -O --policy=x
import sys

print(sys.argv)
