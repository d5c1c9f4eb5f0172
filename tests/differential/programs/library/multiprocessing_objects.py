# Queues, pipes, values, locks, managers, events between processes.
import multiprocessing


def work(connection, value, lock):
    with lock:
        value.value += 1
    connection.send({"sum": sum(connection.recv())})


if __name__ == "__main__":
    value, lock = multiprocessing.Value("i", 41), multiprocessing.Lock()
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.Process(target=work, args=(theirs, value, lock), name="child")
    child.start()
    ours.send([1, 2, 3])
    print(ours.recv())
    child.join()
    print(value.value, child.exitcode, child.name)
    with multiprocessing.Manager() as manager:
        shared = manager.list([1])
        shared.append(2)
        print(list(shared))
