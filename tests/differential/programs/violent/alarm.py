# An alarm without a handler ends the script by SIGALRM.
# lines: yes
import signal
import time

print("one")
signal.setitimer(signal.ITIMER_REAL, 0.05)
time.sleep(100)
