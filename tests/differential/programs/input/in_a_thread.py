# input() in a thread.
# stdin: "read by a thread\n"
import threading

thread = threading.Thread(target=lambda: print(input()))
thread.start()
thread.join()
