# A signal that is ignored, and SIGCHLD that does nothing.
import signal

signal.signal(signal.SIGUSR2, signal.SIG_IGN)
signal.raise_signal(signal.SIGUSR2)
signal.raise_signal(signal.SIGCHLD)
signal.raise_signal(signal.SIGWINCH)
print("goes on")
