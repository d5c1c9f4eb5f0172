# with sys.stdout: it is closed behind the block.
import sys

with sys.stdout as out:
    print("inside", file=out)
sys.stderr.write(f"{sys.stdout.closed}\n")
