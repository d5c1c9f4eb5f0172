# time, as far as it is the same each time: that clocks go on, resolutions, sleep.
import time

began = time.monotonic(), time.perf_counter(), time.process_time(), time.time()
time.sleep(0.01)
ended = time.monotonic(), time.perf_counter(), time.process_time(), time.time()
print([a < b for a, b in zip(began, ended)], ended[0] - began[0] >= 0.01, time.get_clock_info("monotonic").adjustable)
print(time.time() > 1.7e9, time.gmtime(0).tm_year, time.strptime("2024-01-02", "%Y-%m-%d").tm_yday)
