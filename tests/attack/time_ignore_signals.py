# attack: sleep past the wall time with every signal blocked and ignored
# expect: timeout
# limits: --timeout 1
# bare: host
import signal

from hostile import armed, breach, finish, outwait

for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
armed("all signals are blocked and ignored")
outwait()
breach("past the wall time")
finish()
