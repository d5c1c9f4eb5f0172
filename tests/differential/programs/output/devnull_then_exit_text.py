# Standard output replaced by /dev/null, then sys.exit("text").
import os
import sys

print("before", end="")
sys.stdout = open(os.devnull, "w")
sys.exit("text")
