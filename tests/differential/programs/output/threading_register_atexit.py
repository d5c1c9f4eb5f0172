# threading._register_atexit: called before threads are waited for.
import threading

go = threading.Event()


def work():
    go.wait()
    print("thread ends")


threading._register_atexit(lambda: (print("told to end"), go.set()))
threading.Thread(target=work).start()
print("end of main")
