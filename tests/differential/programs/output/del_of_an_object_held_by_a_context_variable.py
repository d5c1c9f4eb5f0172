# __del__ of an object in a context variable.
import contextvars


class Held:
    def __del__(self):
        print("gone with its context")


variable = contextvars.ContextVar("variable")
variable.set(Held())
print("end of main")
