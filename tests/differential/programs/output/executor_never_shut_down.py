# A ThreadPoolExecutor that is never shut down: what was submitted is done before the end.
import concurrent.futures
import time

pool = concurrent.futures.ThreadPoolExecutor(1)
for number in range(3):
    pool.submit(lambda n: (time.sleep(0.01), print("done", n)), number)
print("end of main", flush=True)
