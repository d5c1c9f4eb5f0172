# The report of atexit after sys.exit("text"), with its exit status.
import atexit
import sys

atexit.register(print, "report")
sys.exit("text")
