# Names that belong to nobody: nothing of what runs the script is in its builtins or modules.
import builtins
import sys

print([name for name in sys.modules if "runner" in name or "sandbox" in name or "zygote" in name])
print(len(dir(builtins)) == len(set(dir(builtins))), [name for name in dir(builtins) if "sandbox" in name], sys.argv)
