# match with patterns of all kinds.
import dataclasses


@dataclasses.dataclass
class Point:
    x: int
    y: int


for value in (Point(0, 1), [1, 2, 3], {"key": 5, "more": 6}, "text", 42, None):
    match value:
        case Point(x=0, y=y):
            print("on the axis", y)
        case [first, *rest]:
            print(first, rest)
        case {"key": n, **more}:
            print(n, more)
        case str() as text if len(text) > 3:
            print(text)
        case int() | float():
            print("number")
        case _:
            print("else")
