# attack: crash the interpreter: the verdict must say that it was a signal, and no core may be left
# expect: signal
# bare: no, a crash breaches nothing; the verdict is what is looked at
import ctypes

from hostile import armed, breach, finish

armed("a read at address 0")
ctypes.string_at(0)
breach("still alive")
finish()
