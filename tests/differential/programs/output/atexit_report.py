# A report that is printed by atexit, after all else.
import atexit

count = 0


@atexit.register
def report():
    print("count:", count)


for _ in range(5):
    count += 1
print("main is done")
