# A redirect_stdout that is entered and never left; the script ends within it.
import contextlib
import io
import sys

saved = sys.stdout
manager = contextlib.redirect_stdout(io.StringIO())
manager.__enter__()
print("hidden")
saved.write("shown\n")
