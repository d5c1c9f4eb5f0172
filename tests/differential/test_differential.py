"""Whatever plain `python3 main.py` prints and however it ends, the sandbox gives the same, by every door.

Each program of programs/ is a case; its first lines may say what it is given (README.md). It runs once in plain
python3, from the same root file system in a chroot, and once through each door (doors.py). Differences that are
wanted are listed, with reasons, in differences.py and nowhere else."""

import difflib
import fnmatch

import differences
import programs


def told(part, got, expected):
    """The difference between two values, for a reader."""
    if isinstance(got, bytes) and isinstance(expected, bytes):
        got, expected = (value.decode("utf-8", "backslashreplace") for value in (got, expected))
    if not (isinstance(got, str) and isinstance(expected, str)):
        return f"{part}: {got!r} instead of {expected!r}"
    lines = difflib.unified_diff(expected.splitlines(True), got.splitlines(True), "python3", "sandbox", n=1)
    return f"{part}:\n" + "".join(line if line.endswith("\n") else line + "⏎\n" for line in lines)


def test_what_plain_python_gives_the_sandbox_gives(program, door, reference, doors):
    got, expected = doors[door].compare(program, reference(program))
    found = {part for part in expected if got[part] != expected[part]}
    wanted = differences.wanted(program.id, door, reference.version) & expected.keys()
    assert found <= wanted, programs.shows(program) + "\n" + "\n".join(
        told(part, got[part], expected[part]) for part in sorted(found - wanted))
    assert found == wanted, f"differences.py lists for {program.id}, {door} what does not differ: {wanted - found}"


def test_every_listed_difference_is_of_programs_that_there_are_and_has_its_reason():
    for each in differences.WANTED:
        for pattern in each.programs.split():
            assert fnmatch.filter(programs.everything(), pattern), each
        assert len(each.reason) > 40, each


def test_every_program_says_first_what_it_shows():
    for program in programs.everything().values():
        assert len(programs.shows(program)) > 10 or not program.source, program.id
