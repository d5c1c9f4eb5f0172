"""What comes out of the sandbox otherwise than out of plain python3, and is wanted so. This is the one list.

Each row: programs and doors, patterns as of the shell; the parts of the answer that differ; the reason. A difference
that is listed and does not occur is an error, as is one that occurs and is not listed."""

import dataclasses
import fnmatch


@dataclasses.dataclass(frozen=True)
class Difference:
    programs: str
    doors: str
    parts: tuple
    reason: str

    def covers(self, program, door):
        return fnmatch.fnmatchcase(program, self.programs) and fnmatch.fnmatchcase(door, self.doors)


WANTED = ()


def wanted(program, door):
    """The parts that are wanted to differ."""
    return {part for each in WANTED if each.covers(program, door) for part in each.parts}
