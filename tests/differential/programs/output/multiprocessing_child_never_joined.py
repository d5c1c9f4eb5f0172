# A child of multiprocessing that is not joined is waited for at the end.
# lines: yes
import multiprocessing


def work(ready):
    ready.wait()
    print("child ends")


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    context.Process(target=work, args=(ready,)).start()
    print("end of main")
    ready.set()
