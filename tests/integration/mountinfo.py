"""/proc/self/mountinfo (proc_pid_mountinfo(5)), as a job sees it."""


def parse_mount(line):
    before, _, after = line.partition(" - ")
    _, _, _, root, point, options, *_ = before.split(" ")
    kind, source, _ = after.split(" ")
    return root, point, set(options.split(",")), kind, source


def reachable(mountinfo):
    """Without what is covered: a warm job's /proc covers its zygote's, and what is mounted on that."""
    points, parents = {}, {}
    for line in mountinfo:
        number, parent, _, _, point, *_ = line.split(" ")
        points[number], parents[number] = point, parent
    covered = {parent for number, parent in parents.items() if points[number] == points.get(parent) != "/"}

    def is_hidden(number):
        above = parents[number]
        return above in covered and points[above] != points[number] or above in parents and is_hidden(above)
    return [line for line in mountinfo if (number := line.split(" ", 1)[0]) not in covered and not is_hidden(number)]
