"""A zygote: the python3 that the jobs of one policy are forked from. It never runs a user's code.

This script comes as the first message on descriptor 3. Its arguments are how stdout is buffered, and the modules to
preload. It imports these, does once what every job does first, so that no job pays for it, and then clones children
on request (zygote.c). An isolated child waits for its job (next_job), and goes on as runner.py does for a cold start.
"""

import sys

RUNNER = "/usr/lib/sandbox-run/runner.pyc"
REHEARSAL = b"import sys\nprint(sys.version_info >= (3,))\n"
REHEARSALS = 20  # python's warm-up is 8 (3.11) to 17 runs (3.13)
ARGUMENTS = ["main.py", "/work/main.py", ""]  # those of most jobs, after the buffering


def load(name, path):
    import _frozen_importlib_external as external

    loader = external.SourcelessFileLoader(name, path)
    module = type(sys)(name)
    exec(loader.get_code(name), vars(module))
    return module


class Ended(BaseException):
    """Raised in a rehearsal where a job's process would end."""


def strings(entries):
    """Strings as a job's message has them (warm_job.c)."""
    return "".join(f"{entry}\0" for entry in entries).encode("utf-8", "surrogateescape")


def rehearse(library, runner, buffering, environment):
    """Runs whole jobs. The first does what python does only once. The others bring the code into its specialised form
    (PEP 659), which is faster and is not written to any more."""
    import gc
    import os
    import posix

    def end(status):
        raise Ended

    # These modules do their work at the end of a process only once: hide them from the rehearsals.
    last = {name: sys.modules.pop(name) for name in ("threading", "atexit") if name in sys.modules}
    streams, main, argv, path = (sys.stdout, sys.stderr), sys.modules["__main__"], sys.argv[:], sys.path[:]
    leave, posix._exit = posix._exit, end
    os.environ["REHEARSAL"] = "1"
    set_environment(environment)
    try:
        with open(os.memfd_create("printed"), "w", encoding="utf-8") as printed:
            sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = printed
            gc.freeze()
            for _ in range(REHEARSALS):
                try:
                    library.take_steps(start_job(library, runner, [buffering, *ARGUMENTS], None, REHEARSAL, False))
                except Ended:
                    pass
                rehearse_more(runner)
    finally:
        posix._exit = leave
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__ = streams
        sys.modules["__main__"] = main
        sys.modules.update(last)
        sys.argv[:], sys.path[:] = argv, path


def forget_own_lines():
    """Forgets the source lines of python -c, which Python 3.13 would show in jobs' tracebacks."""
    if "linecache" in sys.modules:
        vars(sys.modules["linecache"]).get("_interactive_cache", {}).clear()


def rehearse_more(runner):
    """Does the first compile, traceback and JSON of the process."""
    import json

    int("1")  # the first call computes a logarithm
    scope = {"__name__": "rehearsal"}
    exec(compile("def main(): return {'text': f'{1 + 1}'}\nprint(main())", "rehearsal", "exec"), scope)
    json.loads(runner.value_as_json("main", scope["main"]()))
    try:
        exec("1 / 0", {})
    except ZeroDivisionError as error:
        sys.excepthook(type(error), error, error.__traceback__)


def load_library():
    """Loads libzygote (zygote_module.c), and keeps it out of the jobs' sys.modules."""
    import _imp
    from _frozen_importlib import ModuleSpec

    library = _imp.create_dynamic(ModuleSpec("libzygote", None, origin="/proc/self/fd/4"))
    sys.modules.pop("libzygote", None)
    if not library.open():
        sys.exit("zygote: the configuration did not come")
    return library


def import_ahead(name):
    """Imports a module. If it cannot be imported, the last line on stderr says so (PRELOAD_BROKEN). A lack of memory or
    of files may pass, and so does not count as a broken module."""
    import posix

    try:
        __import__(name)
    except (MemoryError, OSError):
        raise
    except Exception as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        posix.write(2, f"\npreload: the module {name} can't be imported: {why}\n".encode("utf-8", "replace"))
        posix._exit(1)


def set_environment(entries):
    import os

    wanted = dict(entry.split("=", 1) for entry in entries)
    for name in [*os.environ]:
        if name not in wanted:
            del os.environ[name]
    for name, value in wanted.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def renew_authkey(process):
    import os

    process.current_process()._config["authkey"] = process.AuthenticationString(os.urandom(32))


def renew_names(tempfile):
    """tempfile renews its names when the process id changes, but zygote and child may have the same id."""
    for sequence in name_sequences:
        vars(sequence).clear()


def renew_uuid1(uuid):
    """libuuid chooses the part of its uuids that stands for the host once in a process: replaces it."""
    import os

    generate, (high, low, first, *others) = uuid._generate_time_safe, os.urandom(8)
    own = bytes([high & 0x3F | 0x80, low, first | 1, *others])  # RFC 4122: variant, and a node that is not an address

    def generate_own():
        made, safe = generate()
        return made[:-len(own)] + own, safe

    uuid._node = uuid._last_timestamp = None
    if generate is not None:
        uuid._generate_time_safe = generate_own


# Random state that children would share, and must not: by module, if it is imported. The module random renews itself;
# generators.c renews those of C libraries.
RENEWED = {
    "multiprocessing.process": renew_authkey,
    "numpy.random": lambda random: random.seed(),
    "tempfile": renew_names,
    "uuid": renew_uuid1,
}
name_sequences = []  # all of tempfile's sequences
renewed = False


def prepare_renewal(library):
    """Makes children renew the random state that is there, and nothing else. To be called before gc.freeze, which hides
    objects."""
    import gc
    import os

    used = [(sys.modules[name], renew) for name, renew in RENEWED.items() if name in sys.modules]
    if "tempfile" in sys.modules:
        kind = sys.modules["tempfile"]._RandomNameSequence
        name_sequences.extend(each for each in gc.get_objects() if type(each) is kind)
    generators = library.find_generators()

    def renew():
        """Called in the child, before its job comes."""
        global renewed
        if not renewed:  # otherwise this is a fork by the job itself
            renewed = True
            for module, renew_module in used:
                renew_module(module)
            if generators:
                library.renew_generators()

    if used or generators:
        os.register_at_fork(after_in_child=renew)


kept = []  # objects that live as long as the process
ours = set()  # names of modules that are imported here, and are not in a fresh python


def brings_a_module_of_ours():
    """Whether a file in /work has the name of a module that is imported already."""
    import posix

    return not ours.isdisjoint(name.partition(".")[0] for name in posix.listdir("/work"))


def put_on_descriptor(number, data):
    import posix

    file = posix.memfd_create("sandbox", 0)
    posix.write(file, data)
    posix.lseek(file, 0, 0)
    posix.dup2(file, number)


def start_afresh(library, runner, argv, code):
    """Starts a fresh python, as a cold start does: the job's imports must find its own modules, not ours."""
    import posix

    if argv[2].isdigit():
        put_on_descriptor(int(argv[2]), code)
    put_on_descriptor(runner.LIBRARY_FD, library.steps_library())
    posix.execv(sys.orig_argv[0], [sys.orig_argv[0], RUNNER, *argv])


def start_job(library, runner, argv, environment, code, brings_files):
    """The steps of a job (runner.job_steps). `environment` None: the job has the usual one."""
    if environment is not None:
        set_environment(environment.decode("utf-8", "surrogateescape").split("\0")[:-1])
        if sys.modules["os"].environ.get("PYTHONUNBUFFERED"):
            runner.set_buffering("none")
    if (brings_files or argv[1] != "main.py") and brings_a_module_of_ours():
        start_afresh(library, runner, argv, code)
    return runner.job_steps(*argv[1:4], argv[4:], code)


def main():
    import gc
    import os

    library = load_library()
    os.environ.pop("LD_BIND_NOW", None)
    fresh = set(sys.modules)
    environment = [f"{name}={value}" for name, value in os.environ.items()]
    buffering, *preload = sys.argv[1:]
    # Numeric libraries would start threads when they are imported, and a fork would lose the threads.
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    for name in preload:
        import_ahead(name)
    set_environment(environment)
    prepare_renewal(library)
    stay = set(sys.modules)
    runner = load("runner", RUNNER)
    runner.notebook = load("notebook", runner.NOTEBOOK)
    runner.flush_c = library.flush
    runner.get_objects = gc.get_objects
    runner.may_show = library.may_show
    runner.set_buffering(buffering)
    runner.last_module = [*sys.modules][-1]
    rehearse(library, runner, buffering, environment)
    forget_own_lines()
    stay |= {name for name in sys.modules if name.partition(".")[0] == "json"}
    for name in set(sys.modules) - stay:
        del sys.modules[name]
    ours.update(name.partition(".")[0] for name in set(sys.modules) - fresh)
    runner.last_module = [*sys.modules][-1]
    usual = strings(environment)

    def next_job():
        return start_job(library, runner, *library.take(usual))

    def pretend():
        library.pretend(len(ARGUMENTS) + 1, strings([buffering, *ARGUMENTS]) + usual, REHEARSAL)

    def arrange():
        arrange_constant_memory(library)
        gc.collect()
        kept.append(fill_holes())
        kept.append(Memory())  # also sees what the line before has mapped
        kept.append(fill_holes())
        gc.freeze()
        return plan_memory(library, kept[-2], pretend)

    library.begin(arrange, next_job)


main()
