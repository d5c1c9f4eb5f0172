# Modules are executed when they are imported, in the order of the imports, and not before.
import sys

before = set(sys.modules)
import json

print([name for name in sys.modules if name not in before and name.startswith("json")], "json" in before)
