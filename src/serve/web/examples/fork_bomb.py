# Every process makes another, for ever: the classic.
import os

first = os.getpid()
while True:
    try:
        os.fork()
    except OSError as error:
        if os.getpid() == first:
            print("No more processes:", error)
            break
