# SIGUSR1 without a handler.
# lines: yes
import signal

print("one")
signal.raise_signal(signal.SIGUSR1)
