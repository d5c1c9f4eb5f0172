# KeyboardInterrupt that is caught, then exit status 130.
import signal
import sys

try:
    signal.raise_signal(signal.SIGINT)
    for _ in range(10**9):
        pass
except KeyboardInterrupt:
    print("interrupted")
    sys.exit(130)
