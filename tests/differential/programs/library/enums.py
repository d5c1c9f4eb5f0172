# enum: Enum, IntEnum, Flag, auto, StrEnum.
import enum


class Color(enum.Enum):
    RED = enum.auto()
    GREEN = enum.auto()
    ALIAS = 1


class Permission(enum.Flag):
    R = 4
    W = 2
    X = 1


class Text(enum.StrEnum):
    ONE = enum.auto()


print(list(Color), Color(2), Color["RED"].name, Color.ALIAS is Color.RED, Permission.R | Permission.W, Text.ONE)
print(Permission(7), Permission.R in Permission(6), f"{Text.ONE}", repr(Color.RED))
Color(5)
