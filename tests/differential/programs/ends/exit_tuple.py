# sys.exit() with a tuple shows it.
import sys

sys.exit((1, "two"))
