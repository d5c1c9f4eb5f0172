# A second stream for descriptor 1 that the module holds, then sys.exit().
import os
import sys

out = os.fdopen(1, "w", closefd=False)
out.write("held")
sys.exit(5)
