# The deepest recursion in a thread, with a larger stack.
import threading


def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)


def work():
    n = 1
    try:
        while True:
            depth(n)
            n += 1
    except RecursionError:
        print(n)


threading.stack_size(16 << 20)
thread = threading.Thread(target=work)
thread.start()
thread.join()
