# sys.exit(3) after output.
# also: warm
import sys

print("before")
sys.exit(3)
