# sys.displayhook, as the interactive mode calls it.
import sys

sys.displayhook(None)
sys.displayhook([1, "two"])
sys.displayhook("ü")
print(_)
