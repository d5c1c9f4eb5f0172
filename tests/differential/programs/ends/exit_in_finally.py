# A finally that replaces one exception by SystemExit.
import sys

try:
    raise ValueError("lost")
finally:
    sys.exit(6)
