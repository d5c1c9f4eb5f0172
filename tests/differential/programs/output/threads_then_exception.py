# A thread that prints after an exception ended main.
import threading

go = threading.Event()


def work():
    go.wait()
    print("thread ends")


threading.Thread(target=work).start()
threading.excepthook = None
go.set()
raise ValueError("in main")
