# attack: have another program end in our place: what python was is gone, its runner, too
# expect: exit
# bare: no, only a sandbox has a verdict to forge
import os

from hostile import armed

armed("a shell ends with 7 as our process; neither 0 nor a signal may come of it")
os.execv("/bin/sh", ["sh", "-c", "exec 3>&-; trap '' TERM; kill -CONT $$; exit 7"])
