# sys.exit in children of multiprocessing, and one that is killed.
import multiprocessing
import os
import signal
import sys


def die():
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    for target, args in ((sys.exit, (3,)), (sys.exit, ("text",)), (die, ())):
        child = multiprocessing.get_context("fork").Process(target=target, args=args)
        child.start()
        child.join()
        print(child.exitcode)
