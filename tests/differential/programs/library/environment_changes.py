# os.environ, putenv, unsetenv and what C code sees.
import ctypes
import os

os.environ["MADE"] = "ü"
os.environ.pop("LANG", None)
getenv = ctypes.CDLL(None).getenv
getenv.restype = ctypes.c_char_p
print(getenv(b"MADE"), getenv(b"LANG"), getenv(b"HOME"), os.getenv("NONE", "default"))
print(sorted(os.environ))
