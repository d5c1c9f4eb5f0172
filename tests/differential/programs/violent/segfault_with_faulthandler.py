# faulthandler shows where a segmentation fault happened.
# lines: yes
import ctypes
import faulthandler

faulthandler.enable(all_threads=False)
print("one")


def crash():
    ctypes.string_at(8)


crash()
