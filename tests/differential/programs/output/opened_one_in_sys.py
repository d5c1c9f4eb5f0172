# A second stream for descriptor 1 that is held by sys.
import sys

sys.out = open(1, "w", closefd=False)
sys.out.write("held by sys\n")
