import importlib.metadata
import json
import pkgutil
import platform
import sys
import sysconfig

# The standard library comes with modules that its own list leaves out, such as its tests.
places = {sysconfig.get_path("stdlib"), sysconfig.get_path("stdlib") + "/lib-dynload"}
own = {*sys.stdlib_module_names, "main", "sitecustomize"}
names = sorted({name for finder, name, _ in pkgutil.iter_modules() if finder.path not in places} - own)
owners = importlib.metadata.packages_distributions()
print(json.dumps({"python": platform.python_version(), "modules": {
    name: importlib.metadata.version(owners[name][0]) if name in owners else "" for name in names if name[0] != "_"}}))
