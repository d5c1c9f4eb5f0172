# A report of atexit after KeyboardInterrupt.
import atexit

atexit.register(print, "report")
raise KeyboardInterrupt
