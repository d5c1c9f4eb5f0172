# An exception in a thread: a traceback on stderr, and the script goes on.
import threading


def fail():
    raise ValueError("in a thread")


thread = threading.Thread(target=fail, name="worker")
thread.start()
thread.join()
print("goes on")
