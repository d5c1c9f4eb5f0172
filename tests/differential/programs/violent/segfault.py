# A segmentation fault in C code.
# lines: yes
import ctypes

print("one")
ctypes.string_at(8)
