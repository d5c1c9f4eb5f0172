# A script whose name has no suffix.
# name: solution
import sys

print(sys.argv, __file__, __name__)
