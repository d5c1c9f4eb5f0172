# attack: kill(0, SIGKILL): a process group reaches across pid namespaces, up to the supervisor
# expect: signal
# host: process
# bare: no, it ends its whole process group; test_attack.py shows it with a group of its own
import os
import signal

from hostile import armed, breach, finish

armed("the whole process group is next")
os.kill(0, signal.SIGKILL)
breach("still alive")
finish()
