# A script that has another name.
# name: solution.py
import sys

print(sys.argv, __file__.rpartition("/")[2])
raise ValueError("in solution.py")
