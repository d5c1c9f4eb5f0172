# __file__, sys.argv, sys.path[0], the working directory.
# args: one
# also: warm
import os
import sys

print(__file__, sys.argv, sys.path[0], os.getcwd(), os.path.exists(__file__))
