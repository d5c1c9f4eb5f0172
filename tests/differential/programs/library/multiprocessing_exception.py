# An exception in a child of multiprocessing: its traceback and exit status.
import multiprocessing


def fail():
    raise ValueError("in the child")


if __name__ == "__main__":
    child = multiprocessing.Process(target=fail, name="failing")
    child.start()
    child.join()
    print(child.exitcode)
