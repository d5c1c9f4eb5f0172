# raise … from None.
try:
    1 / 0
except ZeroDivisionError:
    raise RuntimeError("alone") from None
