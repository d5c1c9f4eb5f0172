# attack: start threads without end; they count as processes
# expect: CONTAINED
# limits: --pids 32 --timeout 60 --memory 256M
# bare: host
import threading

from hostile import breach, contained, finish

LIMIT, BOUND = 32, 160

threading.stack_size(64 * 1024)
wait = threading.Event()
try:
    for number in range(BOUND):
        threading.Thread(target=wait.wait, daemon=True).start()
    breach(f"{number} threads at once")
except RuntimeError as error:
    if "can't start new thread" not in str(error):
        raise
    if number > LIMIT:
        breach(f"{number} threads at once")
    contained(f"no more than {number} threads")
finish()
