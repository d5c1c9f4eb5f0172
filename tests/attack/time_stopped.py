# attack: stop ourselves, so that there is neither output nor an end
# expect: timeout
# limits: --timeout 1
# bare: host
import os
import signal

from hostile import armed, breach, finish, outwait

main = os.getpid()
if os.fork() == 0:
    outwait()
    os.kill(main, signal.SIGCONT)
    os._exit(0)
armed("stopped")
os.kill(main, signal.SIGSTOP)
breach("past the wall time")
finish()
