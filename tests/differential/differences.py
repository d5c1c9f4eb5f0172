"""What comes out of the sandbox otherwise than out of plain python3, and is wanted so. This is the one list.

Each row: programs and doors, patterns as of the shell; the parts of the answer that differ; the reason. A difference
that is listed and does not occur is an error, as is one that occurs and is not listed."""

import dataclasses
import fnmatch

TEXT = ("stdout", "output")  # of which a door gives what it has


@dataclasses.dataclass(frozen=True)
class Difference:
    programs: str
    doors: str
    parts: tuple
    reason: str

    def covers(self, program, door):
        return any(fnmatch.fnmatchcase(program, each) for each in self.programs.split()) and any(
            fnmatch.fnmatchcase(door, each) for each in self.doors.split())


WANTED = (
    Difference("library/line_buffering", "*", TEXT,
               "The policy says \"output_buffering\": \"line\", so that what was printed is there when a job is killed."),
    Difference("source/file_name_of_the_code", "*", TEXT,
               "Code is named as the script was, relative to its directory; tracebacks show the name that a user gave."),
    Difference("library/modules_at_the_start library/modules_are_fresh", "warm via run run_code execute", TEXT,
               "An interpreter that waits for jobs has loaded gc and json already; what a job loads itself is its own."),
    Difference("library/frozen_objects", "*", TEXT,
               "What there is before the script begins is kept from the collector, so that its own is told apart at the end."),
    Difference("library/open_descriptors", "*", TEXT,
               "Descriptor 3 takes the value of the function that was called to the supervisor; children don't inherit it."),
    Difference("library/proc_self_cmdline", "*", TEXT,
               "The kernel shows the arguments that the process was executed with; sys.argv and sys.orig_argv are python's."),
    Difference("library/proc_self_environ", "warm via run", TEXT,
               "The kernel shows the environment that the process was executed with: the policy's; os.environ is the job's."),
    Difference("library/session", "*", TEXT,
               "The script leads a session, so that no job can have a controlling terminal; a shell's jobs share its own."),
    Difference("library/writing_to_the_root", "*", TEXT,
               "The root file system is mounted read-only (EROFS), which the kernel asks before permissions (EACCES)."),
    Difference("library/core_dumps", "*", TEXT,
               "No core dumps: one byte, since with 0 the kernel would still start a core dump program of the host's."),
)


def wanted(program, door):
    """The parts that are wanted to differ."""
    return {part for each in WANTED if each.covers(program, door) for part in each.parts}
