# attack: one display of 256 MiB, a hundred of 1 MiB, and one more that is small
# expect: CONTAINED
# limits: --notebook --timeout 60
# bare: no, only a notebook cell has displays
import os

from hostile import contained, finish


def send(size):
    """The head tells the size; what follows is no more than zeros."""
    os.write(3, b"D%016x" % size)
    part = bytes(1 << 20)
    while size > 0:
        size -= os.write(3, part[:size])


send(1 << 28)
for _ in range(100):
    send(1 << 20)
display("a small one")  # noqa: F821
contained("356 MiB of displays were sent; only the small one may be shown")
finish()
