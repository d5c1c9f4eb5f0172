# from __future__ import annotations: they stay text.
from __future__ import annotations


def f(x: Undefined, *args: int | None) -> list[Undefined]:
    pass


y: Nowhere = 1
print(f.__annotations__)
print(__annotations__)
