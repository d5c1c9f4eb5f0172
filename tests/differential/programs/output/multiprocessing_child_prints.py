# What a child of multiprocessing prints is shown.
# lines: yes
import multiprocessing


def work(n):
    print("child", n)


if __name__ == "__main__":
    for n in range(2):
        child = multiprocessing.get_context("fork").Process(target=work, args=(n,))
        child.start()
        child.join()
        print("joined", child.exitcode)
