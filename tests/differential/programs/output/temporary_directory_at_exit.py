# TemporaryDirectory and NamedTemporaryFile that are never closed are removed at the end.
import atexit
import os
import tempfile

atexit.register(lambda: print("in atexit", os.path.exists(name)))
directory = tempfile.TemporaryDirectory()
name = directory.name
print(os.path.isdir(name))
