# os._exit() in a thread ends the whole.
import os
import threading

print("flushed", flush=True)
threading.Thread(target=os._exit, args=(8,)).start()
threading.Event().wait()
