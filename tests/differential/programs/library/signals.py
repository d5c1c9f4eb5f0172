# Handlers, setitimer, sigwait, pthread_sigmask, the default handlers.
import os
import signal
import time

seen = []
signal.signal(signal.SIGUSR1, lambda number, frame: seen.append((number, frame.f_code.co_name)))
os.kill(os.getpid(), signal.SIGUSR1)
signal.signal(signal.SIGALRM, lambda *_: seen.append("alarm"))
signal.setitimer(signal.ITIMER_REAL, 0.01)
while len(seen) < 2:
    time.sleep(0.001)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
os.kill(os.getpid(), signal.SIGUSR2)
print(seen, signal.sigwait([signal.SIGUSR2]), signal.sigpending())
print(signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGPIPE), signal.getsignal(signal.SIGTERM), signal.strsignal(9))
print([s.name for s in sorted(signal.valid_signals()) if isinstance(s, signal.Signals) and signal.getsignal(s) != signal.SIG_DFL])
