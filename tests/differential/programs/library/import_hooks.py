# A finder in sys.meta_path, a hook in sys.path_hooks, and an importer that refuses.
import importlib.abc
import importlib.util
import sys


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        return importlib.util.spec_from_loader(name, self) if name == "made_up" else None

    def exec_module(self, module):
        module.value = "made up"


print([getattr(each, "__name__", type(each).__name__) for each in sys.meta_path], len(sys.path_hooks))
sys.meta_path.append(Finder())
import made_up

print(made_up.value, made_up.__spec__.origin)
sys.modules["refused"] = None
import refused
