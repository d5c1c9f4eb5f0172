# The first part of zygote.py: makes clones cheap, with zygote_memory.c.
#
# A child shares its zygote's memory, page by page. The clone enters each page that the zygote has in memory into the
# child's page tables, and the child's end takes it out again, though most jobs touch a few hundred pages of thousands.
# A page that is not entered costs the job a fault when it is touched. A page that the job writes to costs a copy, which
# takes twice as long as a copy that the clone itself makes. So:
# - Writable memory is moved into a file, of which only the pages that jobs touch are in memory. Pages that jobs write
#   to are pinned, so that the clone copies them (zygote_arrange).
# - Of memory that is mapped from a file and never written to, the clone passes on nothing. The pages of it that jobs
#   touch are copied into our own memory (zygote_arrange, too). The interpreter's text goes into huge pages: one of them
#   replaces 512 pages (zygote_make_huge).
# - Each mapping costs as much as some pages do: those of a library that are never written to become one (zygote_join).
# - What jobs allocate should lie on few pages, not wherever something was freed (fill_holes).
#
# Spans are lists [start, size, start, size, ...].

import sys

PRESENT, FILE, EXCLUSIVE = 1 << 63, 1 << 61, 1 << 56  # bits of /proc/pid/pagemap
PART_TO_PUT_AWAY = 1 << 16
MAPPINGS_MAX = 30000  # half of what the kernel allows (vm.max_map_count)
HOLE_SIZES = *range(16, 513, 16), 1008  # all sizes of python's allocator, and one of the C library's
HOLES_END, HOLES_MAX = 16, 2000  # so many objects side by side show that no hole is left


def mappings():
    """Yields (start, end, permissions, offset, file) of each mapping."""
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        for line in maps:
            span, permissions, offset, _, _, *file = line.split(maxsplit=5)
            start, end = span.split("-")
            yield int(start, 16), int(end, 16), permissions, int(offset, 16), "".join(file)


def array(numbers):
    """Numbers as a C array of 64 bits each."""
    return b"".join(number.to_bytes(8, sys.byteorder) for number in numbers)


def pages(spans):
    import os

    return sum(spans[1::2]) // os.sysconf("SC_PAGESIZE")


def between(start, size, spans):
    """The parts of (start, size) that are not in spans."""
    rest, at = [], start
    for start_of_next, size_of_next in zip([*spans[::2], start + size], [*spans[1::2], 0]):
        if start_of_next > at:
            rest += at, start_of_next - at
        at = start_of_next + size_of_next
    return rest


def in_memory(spans, pid, wanted):
    """The parts of spans that a process has in memory and of which wanted(entry of pagemap) is true."""
    import os

    page, found = os.sysconf("SC_PAGESIZE"), []
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as pagemap:
        for start, size in zip(spans[::2], spans[1::2]):
            pagemap.seek(start // page * 8)
            entries = memoryview(pagemap.read(size // page * 8)).cast("Q")
            for at, entry in zip(range(start, start + size, page), entries):
                if not entry & PRESENT or not wanted(entry):
                    continue
                if found and found[-2] + found[-1] == at:
                    found[-1] += page
                else:
                    found += at, page
    return found


# ---- What is done for all memory ----


def constant_memory():
    """(start, end) of each text, with the mappings beside it that continue it in its file and are never written to."""
    parts, after = [], None
    for start, end, permissions, offset, file in mappings():
        if permissions not in ("r--p", "r-xp") or not file.startswith("/"):
            continue
        if (start, offset, file) == after:
            parts[-1][1] = end
            parts[-1][2] |= "x" in permissions
        else:
            parts.append([start, end, "x" in permissions])
        after = end, offset + end - start, file
    return [(start, end) for start, end, text in parts if text]


def arrange_constant_memory(library):
    interpreter = library.text()
    for start, end in constant_memory():
        library.join(start, end)
        if start <= interpreter < end:
            library.make_huge(start, end)


def fill_holes():
    """Fills the holes that freed objects left. As long as the returned objects live, new objects lie side by side."""
    filling = []
    for size in HOLE_SIZES:
        last = in_a_row = 0
        for _ in range(HOLES_MAX):
            if size > 32:
                filling.append(bytes(size - bytes().__sizeof__()))
            else:
                filling.append(complex(0, 1) if size == 32 else object())
            at = id(filling[-1])
            in_a_row = in_a_row + 1 if 0 < at - last <= 2 * size else 0
            last = at
            if in_a_row == HOLES_END:
                break
    return filling


# ---- What depends on what jobs touch ----


def is_written(entry):
    return entry & (FILE | EXCLUSIVE) == EXCLUSIVE


class Memory:
    """The mappings, and what is done with each."""

    def __init__(self):
        self.constant = {"r--p": [], "r-xp": []}  # spans that are never written to
        self.written = []  # writable spans
        self.away = []  # of these, the spans that are put away
        for start, end, permissions, _, file in mappings():
            span = start, end - start
            if permissions in self.constant and file.startswith("/"):
                self.constant[permissions] += span
            if permissions == "rw-p":
                self.written += span
                if end - start >= PART_TO_PUT_AWAY:
                    self.away += span
        if pages(self.away) > MAPPINGS_MAX:
            self.away = []
        constant = self.constant["r--p"] + self.constant["r-xp"]
        if pages(self.away) + pages(constant) > MAPPINGS_MAX:
            constant = []
        self.away_array, self.constant_array = array(self.away), array(constant)

    def plan(self, learner):
        """The parts of struct plan (zygote_memory.c), from what the learner has touched: a process that has done a job
        and only has to end."""
        copied, touched, untouched = {}, [], []
        for permissions, spans in self.constant.items():
            copied[permissions] = []
            for span in zip(spans[::2], spans[1::2]):
                of_it = in_memory(span, learner, lambda entry: True)
                # Pages that were written to when the file was linked would be lost.
                if of_it and not in_memory(span, "self", lambda entry: not entry & FILE):
                    copied[permissions] += span
                    touched += of_it
                    untouched += between(*span, of_it)
        read = in_memory(self.away, learner, lambda entry: not is_written(entry))
        written = in_memory(self.written, learner, is_written)
        return copied["r--p"], copied["r-xp"], touched, untouched, self.away, read, written


def learn(library, memory, pretend):
    """Forks a process, the learner, which does a job and nothing else, and then waits to be killed. Returns its pid,
    and a descriptor from which a byte comes when it waits. In the learner the pid is 0, and its job comes next."""
    import os
    import posix
    import _signal

    def wait_to_be_killed(status):
        posix.write(done_write, b".")
        _signal.pause()

    done_read, done_write = os.pipe()
    learner = library.fork(memory.away_array, memory.constant_array)
    if learner == 0:
        posix._exit = wait_to_be_killed
        pretend()
    else:
        os.close(done_write)
    return learner, done_read


def plan_memory(library, memory, pretend):
    """Returns a file with the plan, for library.begin; in the learner, -1. A process of its own writes the file: this
    one does as little as it can, so that jobs find its memory as the learner found it."""
    import os
    import _signal

    learner, done = learn(library, memory, pretend)
    if learner == 0:
        return -1
    file = os.memfd_create("plan")
    planner = library.fork(b"", b"")
    if planner == 0:
        plan = [], [], [], [], memory.away, memory.away, []
        try:
            if os.read(done, 1):
                plan = memory.plan(learner)
        except OSError:  # the host does not show it: clones cost more there
            pass
        os.write(file, b"".join(array([len(spans) // 2, *spans]) for spans in plan))
        os._exit(0)
    os.close(done)
    if learner < 0 or planner < 0 or os.waitpid(planner, 0)[1] != 0:
        sys.exit("zygote: its memory cannot be planned")
    os.kill(learner, _signal.SIGKILL)
    os.waitpid(learner, 0)
    return file
