# A ThreadPoolExecutor that is never shut down: what was submitted is done before the end.
import concurrent.futures
import threading

main_is_over = threading.Event()
pool = concurrent.futures.ThreadPoolExecutor(1)
for number in range(3):
    pool.submit(lambda n: (main_is_over.wait(), print("done", n)), number)
print("end of main")
main_is_over.set()
