# The report of atexit comes after the traceback of an exception that nothing caught.
# merge: yes
# lines: yes
import atexit

atexit.register(print, "report")
print("main")
raise ValueError("no")
