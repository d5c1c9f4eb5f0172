# A threading.Timer that fires after the end of main.
import threading

main_is_over = threading.Event()
threading.Timer(0.01, lambda: (main_is_over.wait(), print("fired"))).start()
print("end of main")
main_is_over.set()
