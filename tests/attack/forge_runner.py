# attack: walk to the runner's own functions and frames, and change what they will say of us
# expect: exception exit
# bare: no, only a sandbox has a runner
import gc
import os
import posix
import sys

from hostile import armed

changed = 0
gc.unfreeze()
lies = {"tell": lambda *_: None, "identity": lambda: None, "RESULT_FD": -1, "PROTOCOL": 0}
for thing in gc.get_objects():
    names = getattr(thing, "__globals__", None)
    if type(names) is dict and "RESULT_FD" in names:
        names.update(lies)
        changed += 1
for name, module in list(sys.modules.items()):
    if name.startswith(("sandbox", "runner", "zygote")):
        vars(module).update(lies)
        changed += 1
frame = sys._getframe()
while frame := frame.f_back:
    frame.f_globals.update(lies)
    changed += 1
posix.write = posix.fstat = os.write = lambda *_: 0
sys.excepthook = lambda *_: None
sys.unraisablehook = lambda *_: None
armed(f"{changed} things of the runner's changed; that we fail must be seen all the same")
raise ValueError("seen")
