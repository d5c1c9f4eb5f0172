# contextlib.redirect_stderr(sys.stdout) around warnings.
import contextlib
import sys

with contextlib.redirect_stderr(sys.stdout):
    print("error", file=sys.stderr)
    print("output")
print("after", file=sys.stderr)
