# A daemon thread that waits for ever does not keep the script from ending.
import threading

started = threading.Event()


def wait_for_ever():
    print("daemon waits")
    started.set()
    threading.Event().wait()


threading.Thread(target=wait_for_ever, daemon=True).start()
started.wait()
print("end of main")
