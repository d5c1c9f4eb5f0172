# multiprocessing.Pool: map, starmap, apply_async, imap_unordered.
import multiprocessing


def power(a, b=2):
    return a**b


if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        print(pool.map(power, range(5)), pool.starmap(power, [(2, 3), (3, 2)]), pool.apply_async(power, (7,)).get())
        print(sorted(pool.imap_unordered(power, range(3))))
