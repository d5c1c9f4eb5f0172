# Lines that a thread and main printed before main waits for ever.
# lines: yes
# killed: timeout
# limits: wall_time_ms=2000
# doors: run run-cold
import threading

thread = threading.Thread(target=print, args=("from a thread",))
thread.start()
thread.join()
print("from main")
open("reached", "w").close()
threading.Event().wait()
