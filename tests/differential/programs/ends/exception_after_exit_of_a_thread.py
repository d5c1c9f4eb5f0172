# An exception in main while a thread still runs: the thread is waited for.
import threading

go = threading.Event()


def work():
    go.wait()
    print("thread ends")


threading.Thread(target=work).start()
try:
    raise ValueError("in main")
finally:
    go.set()
