# The script leads its process group, and its parent is there.
import os

print(os.getpid() == os.getpgrp(), os.getppid() > 0)
