# A debugger made of bdb that steps through a function.
import bdb


class Stepper(bdb.Bdb):
    def user_line(self, frame):
        if frame.f_code.co_name == "target":
            print("line", frame.f_lineno - frame.f_code.co_firstlineno, sorted(frame.f_locals))
        self.set_step()


def target():
    a = 1
    b = a + 1
    return b


print(Stepper().runcall(target))
