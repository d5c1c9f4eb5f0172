# sys.flags, warnoptions, _xoptions, dont_write_bytecode, recursion limit, switch interval.
import sys

print(sys.flags, sys.warnoptions, sys._xoptions, sys.dont_write_bytecode, sys.pycache_prefix)
print(sys.getrecursionlimit(), sys.getswitchinterval(), sys.int_info, sys.hash_info.width, sys.thread_info)
print(sys.path_hooks is not None, sys.meta_path, sys.gettrace(), sys.getprofile(), sys.exc_info(), sys.platlibdir)
