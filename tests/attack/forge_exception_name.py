# attack: claim another end in the runner's name: its messages of exceptions and results, before ours
# expect: exit
# bare: no, only a sandbox has a result's channel
import os

from hostile import armed

for message in (b"EMemoryError", b"ETimeoutError", b"EKeyboardInterrupt", b"R0", b"E", b"Eok", b"E" + b"x" * 70_000):
    os.write(3, message)
armed("seven messages in the runner's name; the verdict must be our exit status, 7")
os._exit(7)
