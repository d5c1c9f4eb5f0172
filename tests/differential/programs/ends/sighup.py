# SIGHUP without a handler.
# lines: yes
import signal

print("one")
signal.raise_signal(signal.SIGHUP)
