# sys.exit(2.5) shows it.
import sys

sys.exit(2.5)
