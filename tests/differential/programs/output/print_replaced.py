# builtins.print replaced by a function of the script's.
import builtins

real = builtins.print


def counted(*args, **keywords):
    counted.calls += 1
    real(counted.calls, *args, **keywords)


counted.calls = 0
builtins.print = counted
print("a")
print("b")
