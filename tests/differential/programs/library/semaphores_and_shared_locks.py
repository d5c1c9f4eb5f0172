# POSIX semaphores and locks of multiprocessing, between fork and spawn.
# doors: cold via run run-cold
import multiprocessing


def work(semaphore, array):
    with semaphore:
        array[0] += 1


if __name__ == "__main__":
    for method in ("fork", "spawn", "forkserver"):
        context = multiprocessing.get_context(method)
        semaphore, array = context.BoundedSemaphore(1), context.Array("i", 2)
        children = [context.Process(target=work, args=(semaphore, array)) for _ in range(2)]
        for child in children:
            child.start()
        for child in children:
            child.join()
        print(method, array[:], multiprocessing.get_start_method())
