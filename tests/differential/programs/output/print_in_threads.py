# Threads print, each whole lines, one after the other.
import threading

lock = threading.Lock()


def work(number):
    with lock:
        print("thread", "x" * 10)


threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("joined")
