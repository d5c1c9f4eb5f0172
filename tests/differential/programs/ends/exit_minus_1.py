# sys.exit(-1) is exit status 255.
import sys

sys.exit(-1)
