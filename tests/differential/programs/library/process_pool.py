# ProcessPoolExecutor with functions of main.
import concurrent.futures


def square(n):
    return n * n


if __name__ == "__main__":
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        print(list(pool.map(square, range(5))))
        try:
            pool.submit(divmod, 1, 0).result()
        except ZeroDivisionError as error:
            print(repr(error))
