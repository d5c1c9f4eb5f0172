# sys.orig_argv, sys.executable and the version's prefix.
import sys

print(sys.orig_argv[1:], sys.executable, sys.prefix, sys.exec_prefix == sys.base_exec_prefix)
