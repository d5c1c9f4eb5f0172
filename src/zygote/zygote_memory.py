# The first part of zygote.py: makes clones cheap, with zygote_memory.c.
#
# A child shares its zygote's memory, page by page. The clone enters each page that the zygote has in memory into the
# child's page tables, and the exit removes it, though most jobs touch a few hundred of thousands. A page that is
# missing costs the job a fault, and a page that it writes to costs a copy, twice as much as a copy by the clone. So:
# - Writable memory is put away into a file, of which only those pages are in memory that jobs touch; those that they
#   write to are pinned, so that the clone copies them (zygote_arrange).
# - Read-only memory belongs to files, and the clone does not pass it on. Pages of it that jobs touch are copied (there,
#   too); the interpreter's text goes into huge pages: one to pass on instead of 512 (zygote_make_huge).
# - Each mapping costs as much as some pages: the never written mappings of a library become one (zygote_join).
# - New objects of jobs should be on few pages, not scattered over freed memory (fill_holes).
#
# Spans are lists [start, size, start, size, ...].

import sys

PRESENT, FILE, EXCLUSIVE = 1 << 63, 1 << 61, 1 << 56  # bits of /proc/pid/pagemap
PART_TO_PUT_AWAY = 1 << 16
MAPPINGS_MAX = 30000  # half of what the kernel allows (vm.max_map_count)
HOLE_SIZES = *range(16, 513, 16), 1008  # of all that python's allocator serves, and one for the C library's
HOLES_END, HOLES_MAX = 16, 2000  # so many objects in a row are in no holes


def mappings():
    """(start, end, permissions, offset, file) of each."""
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        for line in maps:
            span, permissions, offset, _, _, *file = line.split(maxsplit=5)
            start, end = span.split("-")
            yield int(start, 16), int(end, 16), permissions, int(offset, 16), "".join(file)


def array(numbers):
    """As an array for C."""
    return b"".join(number.to_bytes(8, sys.byteorder) for number in numbers)


def pages(spans):
    import os

    return sum(spans[1::2]) // os.sysconf("SC_PAGESIZE")


def between(start, size, spans):
    """The rest of start, size."""
    rest, at = [], start
    for start_of_next, size_of_next in zip([*spans[::2], start + size], [*spans[1::2], 0]):
        if start_of_next > at:
            rest += at, start_of_next - at
        at = start_of_next + size_of_next
    return rest


def in_memory(spans, pid, wanted):
    """The pages of these that a process has in memory and for which wanted(entry of pagemap) holds."""
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


# ---- What can be done for all of it ----


def constant_memory():
    """[start, end] of each text with all around it that is never written to and that its file has there too."""
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
    """Objects that fill freed memory: as long as they live, new objects are side by side."""
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


# ---- What needs to know what jobs touch ----


def is_written(entry):
    return entry & (FILE | EXCLUSIVE) == EXCLUSIVE


class Memory:
    """The mappings, and the plan for them."""

    def __init__(self):
        self.constant = {"r--p": [], "r-xp": []}  # spans of what is never written to
        self.written = []  # and of what is
        self.away = []  # of that, what is put away
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
        """What struct plan has (zygote_memory.c), by what a process has touched that has done a job and has only to
        end yet."""
        copied, touched, untouched = {}, [], []
        for permissions, spans in self.constant.items():
            copied[permissions] = []
            for span in zip(spans[::2], spans[1::2]):
                of_it = in_memory(span, learner, lambda entry: True)
                # What was written to when it was linked would not come back.
                if of_it and not in_memory(span, "self", lambda entry: not entry & FILE):
                    copied[permissions] += span
                    touched += of_it
                    untouched += between(*span, of_it)
        read = in_memory(self.away, learner, lambda entry: not is_written(entry))
        written = in_memory(self.written, learner, is_written)
        return copied["r--p"], copied["r-xp"], touched, untouched, self.away, read, written


def learn(library, memory, pretend):
    """The pid of a process that does a job, nothing beside, and stays as it is when all that it has left to do is to
    end; and a descriptor from which a byte comes then. In that process 0: what comes next is its job."""
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
    """A file for library.begin. Another process writes it: this one does as little as it can, for jobs are to find it
    as the one that did a job found it. In that one, -1."""
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
        except OSError:  # a host that does not show it: its clones cost more
            pass
        os.write(file, b"".join(array([len(spans) // 2, *spans]) for spans in plan))
        os._exit(0)
    os.close(done)
    if learner < 0 or planner < 0 or os.waitpid(planner, 0)[1] != 0:
        sys.exit("zygote: its memory cannot be planned")
    os.kill(learner, _signal.SIGKILL)
    os.waitpid(learner, 0)
    return file
