# A handler of SIGTERM that raises SystemExit.
import os
import signal
import sys


def on_term(number, frame):
    print("terminated by", signal.Signals(number).name)
    sys.exit(143)


signal.signal(signal.SIGTERM, on_term)
os.kill(os.getpid(), signal.SIGTERM)
