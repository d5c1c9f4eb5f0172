# Exceptions from C code: no frame of the library's.
"{:d}".format("x")
