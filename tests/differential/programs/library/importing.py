# importlib, pkgutil, zipimport, reload, lazy loading.
# files: one.py "print('one is imported')\nvalue = 1\n"
import importlib
import importlib.util
import pkgutil
import sys
import zipfile

one = importlib.import_module("one")
open("one.py", "a").write("value = 2\n")
print(importlib.reload(one).value, importlib.util.find_spec("one").origin, importlib.util.find_spec("nowhere"))
with zipfile.ZipFile("lib.zip", "w") as archive:
    archive.writestr("zipped/__init__.py", "value = 'from a zip'\n")
    archive.writestr("zipped/data.txt", "data")
sys.path.insert(0, "lib.zip")
import zipped

print(zipped.value, pkgutil.get_data("zipped", "data.txt"), [m.name for m in pkgutil.iter_modules(["."])])
