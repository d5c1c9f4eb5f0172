# sys.exit() with members of an IntEnum.
import enum
import sys


class Status(enum.IntEnum):
    BAD = 42


sys.exit(Status.BAD)
