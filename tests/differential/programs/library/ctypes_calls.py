# ctypes: structures, callbacks, libm, errors.
import ctypes
import ctypes.util


class Point(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_double)]


libc = ctypes.CDLL(None, use_errno=True)
compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
values = (ctypes.c_int * 3)(3, 1, 2)
libc.qsort(values, 3, 4, compare(lambda a, b: a[0] - b[0]))
print(list(values), ctypes.sizeof(Point), Point(1, 2.5).y, libc.open(b"/nowhere", 0), ctypes.get_errno())
ctypes.CDLL("libnowhere.so")
