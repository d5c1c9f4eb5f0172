# ThreadPoolExecutor: map, submit, exceptions, as_completed.
import concurrent.futures


def work(n):
    if n == 3:
        raise ValueError(n)
    return n * n


with concurrent.futures.ThreadPoolExecutor(4) as pool:
    print(list(pool.map(work, range(3))))
    futures = {pool.submit(work, n): n for n in range(5)}
    print(sorted((futures[each], repr(each.exception())) for each in concurrent.futures.as_completed(futures)))
