# attack: pass for a time-out: the exit status and the sentence of one
# expect: exit
# bare: no, only a sandbox has a verdict to forge
import os
import sys

from hostile import armed

print("sandbox-run: Execution timed out after 10 seconds", file=sys.stderr)
armed("exit status 124 is no time-out")
os._exit(124)
