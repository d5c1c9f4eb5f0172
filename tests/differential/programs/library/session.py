# The script's session: it leads one of its own, without a terminal.
import os

print(os.getsid(0) == os.getpid())
