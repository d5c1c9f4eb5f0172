# multiprocessing with spawn: the script is imported again as __mp_main__.
# doors: cold via run run-cold
import multiprocessing


def work(queue):
    queue.put((__name__, "from the child"))


if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    child = context.Process(target=work, args=(queue,))
    child.start()
    print(queue.get())
    child.join()
    print(child.exitcode)
