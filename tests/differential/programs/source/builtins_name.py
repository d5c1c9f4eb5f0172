# __builtins__ of the script and of a module.
# files: other.py "kind = type(__builtins__).__name__\n"
import builtins

import other

print(__builtins__ is builtins, other.kind)
