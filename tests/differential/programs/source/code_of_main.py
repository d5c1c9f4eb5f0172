# The code object of the script: its name, file, flags, first line.
import sys

code = sys._getframe().f_code
print(code.co_name, code.co_filename.rpartition("/")[2], hex(code.co_flags), code.co_firstlineno, code.co_argcount)
print(code.co_qualname, code.co_names[:2], code.co_consts[0])
