# sched, threading.Timer that is cancelled, time.sleep(0).
import sched
import threading
import time

scheduler = sched.scheduler(time.monotonic, time.sleep)
scheduler.enter(0.02, 1, print, ["second"])
scheduler.enter(0.01, 1, print, ["first"])
scheduler.run()
timer = threading.Timer(1000, print)
timer.start()
timer.cancel()
timer.join()
print(timer.finished.is_set())
