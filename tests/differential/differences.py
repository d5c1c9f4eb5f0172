"""The wanted differences between the sandbox and plain python3. There is no other list of them.

Each row: programs and doors, patterns as of the shell; the parts of the answer that differ; the reason. A difference
that is listed and does not occur is an error, as is one that occurs and is not listed."""

import dataclasses
import fnmatch

import programs

TEXT = ("stdout", "output")  # of which a door gives what it has


@dataclasses.dataclass(frozen=True)
class Difference:
    programs: str
    doors: str
    parts: tuple
    reason: str
    python: str = ""  # the versions of which it is true, such as ">=3.13"

    def covers(self, program, door, version):
        return any(fnmatch.fnmatchcase(program, each) for each in self.programs.split()) and any(
            fnmatch.fnmatchcase(door, each) for each in self.doors.split()) and programs.fits(self.python, version)


WANTED = (
    Difference("library/line_buffering", "*", TEXT,
               "By the policy's output_buffering, what was printed is there when a job is killed."),
    Difference("source/file_name_of_the_code", "*", TEXT,
               "Code has the name that a user gave for the script, as tracebacks then have it."),
    Difference("library/modules_at_the_start library/modules_are_fresh", "warm via run run_code execute", TEXT,
               "An interpreter that waits for jobs has loaded gc and json already."),
    Difference("library/frozen_objects", "*", TEXT,
               "What there is before the script begins is frozen: at the end, what the script made is told by that."),
    Difference("library/open_descriptors", "*", TEXT,
               "Descriptor 3 takes the value of a function to the supervisor; children do not inherit it."),
    Difference("library/proc_self_cmdline", "*", TEXT,
               "The kernel shows the arguments of execve, by which the interpreter was made ready for the script."),
    Difference("library/proc_self_environ", "warm via run", TEXT,
               "The kernel shows the environment of execve, which is the policy's alone; os.environ is the job's."),
    Difference("library/session", "*", TEXT,
               "The script leads a session of its own and has no terminal; a shell's jobs share that of the shell."),
    Difference("library/writing_to_the_root", "*", TEXT,
               "The root file system is mounted read-only (EROFS), which the kernel asks before permissions (EACCES)."),
    Difference("library/core_dumps", "*", TEXT,
               "No core dumps: one byte, since with 0 the kernel would still start a core dump program of the host's."),
    Difference("stack/circular_import source/name_of_a_module_that_is_loaded", "cold run-cold", ("stderr",),
               "Its hint at renaming a file python gives for the directory that it was started in: the runner's.",
               python=">=3.13"),
)


def wanted(program, door, version):
    """The parts that are wanted to differ."""
    return {part for each in WANTED if each.covers(program, door, version) for part in each.parts}
