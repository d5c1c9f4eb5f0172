# C code prints through buffers of its own, which exit(3) writes out.
import ctypes

libc = ctypes.CDLL(None)
libc.puts(b"from C")
libc.printf(b"%d without a newline", 42)
