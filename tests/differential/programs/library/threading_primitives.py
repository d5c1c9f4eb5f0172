# Locks, conditions, events, barriers, queues.
import queue
import threading

tasks, done = queue.Queue(), []
barrier = threading.Barrier(3)


def work():
    barrier.wait()
    while (n := tasks.get()) is not None:
        done.append(n * n)


threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
barrier.wait()
for n in (*range(10), None, None):
    tasks.put(n)
for thread in threads:
    thread.join()
print(sorted(done), threading.active_count(), threading.current_thread().name, threading.main_thread().is_alive())
