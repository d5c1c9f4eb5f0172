# attack: pass for out of memory by exit status 137
# expect: exit
# bare: no, only a sandbox has a verdict to forge
import os

from hostile import armed

armed("exit status 137 is neither a signal nor out of memory")
os._exit(137)
