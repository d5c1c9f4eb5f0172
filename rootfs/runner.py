"""Runs one script inside the sandbox, as `python3 script.py` would.

    python3 runner.pyc BUFFERING NAME SOURCE CALL [ARGS...]

BUFFERING is "line", "block" or "none": how stdout is buffered. NAME is the script's name in
tracebacks and sys.argv[0] ("-c" and "-" are "<string>" and "<stdin>" in tracebacks, as with python3).
SOURCE is the file that holds the code, or the number of a descriptor that does. NAME "-m": SOURCE is
the module to run. CALL is "", or a function to call afterwards: its name, or JSON with "name", "args"
and "kwargs". "%png" or "%svg" and a newline before it: the script is a notebook cell (notebook.py), whose
figures have this format; with " live" before the newline, its displays and its output are passed on
as they come, in their order.

Messages to the supervisor go to descriptor 3, apart from the script's output: b"E" and the name of
the exception's class, or b"R" and the value of the called function as JSON. The displays of a cell
stand before it: b"D", 16 hexadecimal digits, and a bundle as JSON of that many bytes. The script can
write there, too, but falsifies only its own result: the supervisor trusts no byte of it.

A job is a generator of steps (job_steps). A library in C takes them one after the other, without a
Python frame on the stack: a script can't see the runner in tracebacks or in the recursion limit.
Every import here costs every job time: only modules that are always loaded are imported.
"""

import _frozen_importlib
import _frozen_importlib_external
import _imp
import _thread
import _weakref
import posix
import sys

PROTOCOL = 5  # version of the agreement with the supervisor; recorded in rootfs.json
RESULT_FD = 3
CODE_FD = 4
LIBRARY_FD = 5
NOTEBOOK = "/usr/lib/sandbox-run/notebook.pyc"
CELL = "%"  # begins CALL for a cell: no function's name does
STEPS_NAME = "sandbox_steps"  # of the library on LIBRARY_FD (steps_module.c)
INTERRUPTED = 1 << 32  # not an exit status: ended by SIGINT, as python is by a KeyboardInterrupt
flush_c = None  # set in a zygote: flushes the buffers of C code
last_module = None  # modules after it in sys.modules are the script's
get_objects = None  # gc's, which is not among the modules that are always loaded
may_show = None  # of the library: remains.h
notebook = None  # set in a zygote: notebook.py as a module


# ── Messages to the supervisor ───────────────────────────────────────────────────────────────────


def identity():
    """Which file the result's descriptor is, or None: a script may close it and open its own there."""
    try:
        info = posix.fstat(RESULT_FD)
    except OSError:
        return None
    return info.st_dev, info.st_ino


def tell(result, kind, text):
    """Sends one message to the supervisor; a script that closed the descriptor loses it."""
    if result is None or identity() != result:
        return
    data = memoryview(kind + text.encode("utf-8", "replace"))
    try:
        while data:
            data = data[posix.write(RESULT_FD, data):]
    except OSError:
        pass


# ── Before the script ────────────────────────────────────────────────────────────────────────────


def read_source(source):
    with open(int(source) if source.isdigit() else source, "rb") as file:
        return file.read()


def unbuffered(stream):
    """The stream that python3 -u has in its place."""
    import io

    raw = io.FileIO(stream.fileno(), "w", closefd=False)
    raw.name = stream.name
    fresh = io.TextIOWrapper(raw, stream.encoding, stream.errors, newline="\n", write_through=True)
    fresh.mode = "w"
    return fresh


def set_buffering(buffering):
    if sys.stdout.write_through or buffering == "block":  # by PYTHONUNBUFFERED already
        return
    if buffering == "line":
        sys.stdout.reconfigure(line_buffering=True)
        return
    sys.stdout = sys.__stdout__ = unbuffered(sys.stdout)
    sys.stderr = sys.__stderr__ = unbuffered(sys.stderr)


def set_first_path(directory):
    """Makes imports search this path first, instead of the directory of this file."""
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = directory


def make_main(name, source, args):
    """Puts a __main__ into sys.modules as a script of that name would find it; returns its names."""
    main = type(sys)("__main__")
    main.__annotations__ = {}
    main.__builtins__ = sys.modules["builtins"]
    sys.argv[:] = [name, *args]
    sys.orig_argv[1:] = [name, *args]
    if source.isdigit():
        main.__loader__ = _frozen_importlib.BuiltinImporter
        set_first_path("")
    else:
        main.__loader__ = _frozen_importlib_external.SourceFileLoader("__main__", source)
        main.__file__ = source
        main.__cached__ = None
        set_first_path(source.rpartition("/")[0])
    sys.modules["__main__"] = main
    return main.__dict__


def with_lines(command):
    """The code of -c where tracebacks show its lines: from Python 3.13 on. Else None."""
    if sys.version_info < (3, 13):
        return None
    import linecache

    try:
        code = compile(command, "<string>", "exec", 0, True)
    except (SyntaxError, ValueError):
        return None
    linecache._register_code(code, command, "<string>")
    return code


def load_notebook():
    if notebook is not None:
        return notebook
    module = type(sys)("notebook")
    loader = _frozen_importlib_external.SourcelessFileLoader("notebook", NOTEBOOK)
    exec(loader.get_code("notebook"), module.__dict__)
    return module


# ── The called function and its value ────────────────────────────────────────────────────────────


def as_number(value):
    """Converts a number of another library to one of Python's own, for JSON."""
    kind = type(value)
    if getattr(value, "shape", ()) == ():  # an array of several numbers is not a number
        ways = ("__index__", int), ("__float__", float)
        if kind.__module__ == "numpy" and kind.__name__ in ("bool", "bool_"):
            ways = ("__bool__", bool),
        for method, convert in ways:
            try:
                if hasattr(kind, method):
                    return convert(value)
            except (TypeError, ValueError, OverflowError):
                pass
    raise TypeError(f"Object of type {kind.__name__} is not JSON serializable")


def value_as_json(name, value):
    import json

    try:
        text = json.dumps(value, allow_nan=False, default=as_number)
        if "\\ud" in text:  # strict readers refuse half of a surrogate pair
            whole = json.dumps(value, allow_nan=False, default=as_number, ensure_ascii=False)
            text = whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return text
    except (TypeError, ValueError, RecursionError) as error:
        reason = str(error)
    raise TypeError(f"the value of {name}() is not JSON-serialisable: {reason}")


def parse_call(call):
    """(the function's name, its positional arguments, its keyword arguments)."""
    if call[0] != "{":
        return call, (), {}
    import json

    asked = json.loads(call)
    return asked["name"], tuple(asked.get("args", ())), asked.get("kwargs", {})


def is_name(node, name):
    return type(node).__name__ == "Name" and node.id == name


def asks_for_main(test):
    """Whether this condition has __name__ == "__main__" in it."""
    if type(test).__name__ == "BoolOp":
        return type(test.op).__name__ == "And" and any(map(asks_for_main, test.values))
    if type(test).__name__ != "Compare" or type(test.ops[0]).__name__ != "Eq":
        return False
    sides = test.left, test.comparators[0]
    return any(is_name(side, "__name__") for side in sides) and any(
        getattr(side, "value", None) == "__main__" for side in sides)


def calls(node, name):
    """Whether this is a call of the function without arguments, by itself or in asyncio.run()."""
    if type(node).__name__ != "Call" or node.keywords:
        return False
    if is_name(node.func, name):
        return not node.args
    return (getattr(node.func, "attr", None) == "run" and is_name(node.func.value, "asyncio") and
            len(node.args) == 1 and calls(node.args[0], name))


def without_own_calls(source, shown, name):
    """The script's code without its own calls of the function: without code for the main program only, and
    without bare calls at the top level. None: nothing to leave out."""
    if b"__main__" not in source and name.encode() + b"()" not in source:
        return None
    try:
        tree = compile(source, shown, "exec", 0x400, True)  # ast.PyCF_ONLY_AST
    except (SyntaxError, ValueError):
        return None
    kept = []
    for node in tree.body:
        if type(node).__name__ == "If" and asks_for_main(node.test):
            kept += node.orelse
        elif type(node).__name__ != "Expr" or not calls(node.value, name):
            kept.append(node)
    if kept == tree.body:
        return None
    tree.body = kept
    return compile(tree, shown, "exec", 0, True)


async def wait_for(value):
    return await value


def call_steps(scope, call, result):
    """Calls the function and tells its value; a coroutine is run to its end. Returns the exception."""
    name, args, kwargs = parse_call(call)
    function = scope.get(name)
    if not callable(function):
        return NameError(f"the script defines no function {name}()")
    value, error, _ = yield function, args, kwargs
    if hasattr(type(value), "__await__"):
        import asyncio

        coroutine = value if asyncio.iscoroutine(value) else wait_for(value)
        value, error, _ = yield asyncio.run, (coroutine,), {}
    if error is not None:
        return error
    try:
        tell(result, b"R", value_as_json(name, value))
    except TypeError as unfit:
        return unfit.with_traceback(None)
    return None


# ── The end ──────────────────────────────────────────────────────────────────────────────────────

# At its end CPython destroys all objects, and some of them write output then. That takes a millisecond
# or more, mostly without a visible effect. So we check every object made since the script began. If
# none has a finaliser, or other code that runs when it dies, the process ends at once. Otherwise
# CPython ends it.

HARMLESS_CALLBACKS = (  # of weak references: they remove an entry from a container
    ("_weakrefset", "WeakSet.__init__.<locals>._remove"),
    ("weakref", "WeakKeyDictionary.__init__.<locals>.remove"),
    ("weakref", "WeakValueDictionary.__init__.<locals>.remove"),
    ("logging", "_removeHandlerRef"),
)


def calls_back(reference):
    callback = _weakref.ReferenceType.__dict__["__callback__"].__get__(reference)
    if callback is None or type(callback) is type(len):
        return False
    return type(callback) is not type(calls_back) or (
        callback.__module__, callback.__qualname__) not in HARMLESS_CALLBACKS


def stand_in_for_streams(streams):
    """Whether sys.stdout or sys.stderr has been replaced or changed."""
    now = sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__
    return tuple(map(id, now)) != streams or any(
        stream.closed or vars(stream).keys() != {"mode"} for stream in now)


def has_own_buffers():
    """Whether C code of the script may have filled buffers that only exit(3) flushes."""
    names = modules_since(last_module)
    modules = [sys.modules.get(name) for name in names]
    files = [str(vars(module).get("__file__")) for module in modules if type(module) is type(sys)]
    return "_ctypes" in names or any(
        file.endswith(".so") and "/lib-dynload/" not in file for file in files)


def modules_since(last):
    """Names in sys.modules, the newest first, down to that one."""
    names = []
    for name in reversed(sys.modules):
        if name == last:
            break
        names.append(name)
    return names


def must_finalise(streams):
    """Whether CPython's destruction of the interpreter could have a visible effect."""
    if (sys.flags.inspect or sys.flags.dev_mode or _thread._count() > 0 or has_own_buffers() or
            stand_in_for_streams(streams) or may_show(get_objects(), OUR_GENERATORS, calls_back)):
        return True
    if flush_c is not None:
        flush_c()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        return True
    return False


def leave(status):
    if status == INTERRUPTED:
        import _signal

        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
        posix.kill(posix.getpid(), _signal.SIGINT)
    posix._exit(status & 0xFF)


def end_steps(status, watched, streams):
    """Ends the process; returns if CPython has to do it."""
    if watched:
        return
    try:
        if "threading" in sys.modules:
            yield sys.modules["threading"]._shutdown, (), {}
        if "atexit" in sys.modules:
            yield sys.modules["atexit"]._run_exitfuncs, (), {}
        if not must_finalise(streams):
            leave(status)
    except Exception:  # a script that has replaced these modules
        pass


def status_of(error):
    """The exit status, or None if CPython has to determine it."""
    if error is None:
        return 0
    if isinstance(error, SystemExit):
        code = error.code
        if code is None:
            return 0
        return code if type(code) is int and code.bit_length() <= 31 else None
    return INTERRUPTED if type(error) is KeyboardInterrupt else 1


# ── The whole ────────────────────────────────────────────────────────────────────────────────────


def job_steps(name, source, call, args, code=None):
    """Yields what is to be done, for the library to do; it sends (value, exception, whether the script
    has set a trace or profile function) of each:

    (source, name, names): run this source with these names
    (code, names): the same, where it is compiled already
    (function, arguments, keywords): call it
    exception: show it, as python shows what nothing caught; or end the process as it says

    Returns the exit status if CPython has to end the process."""
    try:
        posix.set_inheritable(RESULT_FD, False)
    except OSError:
        pass
    script, result = posix.getpid(), identity()
    streams = tuple(map(id, (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)))
    if name == "-m":
        scope = make_main(name, "0", args)
        sys.orig_argv[2:] = [source, *args]
        set_first_path(posix.getcwd())
        import runpy

        _, error, watched = yield runpy._run_module_as_main, (source, True), {}
    else:
        scope = make_main(name, source, args)
        shown = {"-c": "<string>", "-": "<stdin>"}.get(name, name)
        text = read_source(source) if code is None else code
        cell = None
        if call[:1] == CELL:
            cell, _, call = call[1:].partition("\n")
        compiled = without_own_calls(text, shown, parse_call(call)[0]) if call and not cell else None
        if name == "-c":
            command = text.decode("utf-8", "replace")
            sys.orig_argv[2:] = [command, *args]
            compiled = compiled or with_lines(command)
        if cell:
            _, error, watched = yield from load_notebook().cell_steps(
                text, shown, name == "-c", scope, cell, lambda kind, text: tell(result, kind, text), as_number)
        else:
            _, error, watched = yield (compiled, scope) if compiled else (text, shown, scope)
    if call and error is None and posix.getpid() == script:
        error = yield from call_steps(scope, call, result)
    del scope  # objects of the script die with its module
    status = status_of(error)
    if error is not None and not isinstance(error, SystemExit):
        if posix.getpid() == script:  # a forked child's end is not the script's
            tell(result, b"E", type(error).__name__)
        yield error
    if status is None:
        yield error
    del error
    yield from end_steps(status, watched, streams)
    return status


OUR_GENERATORS = job_steps.__code__, end_steps.__code__


def load_library():
    origin = f"/proc/self/fd/{LIBRARY_FD}"
    copied = not posix.access(origin, posix.F_OK)  # best effort, without /proc
    if copied:
        origin = f"/tmp/{STEPS_NAME}"
        copy = posix.open(origin, posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL | posix.O_CLOEXEC, 0o600)
        posix.sendfile(copy, LIBRARY_FD, 0, posix.fstat(LIBRARY_FD).st_size)
        posix.close(copy)
    library = _imp.create_dynamic(_frozen_importlib.ModuleSpec(STEPS_NAME, None, origin=origin))
    if copied:
        posix.unlink(origin)
    sys.modules.pop(STEPS_NAME, None)
    posix.close(LIBRARY_FD)
    return library


def main(buffering, name, source, call, *args):
    global get_objects, last_module, may_show
    import gc

    del sys.modules["gc"]
    get_objects = gc.get_objects
    library = load_library()
    may_show = library.may_show
    last_module = [*sys.modules][-1]
    set_buffering(buffering)
    steps = job_steps(name, source, call, args)
    gc.freeze()  # these objects are not the script's
    library.begin(steps)  # raises an exception that ends this frame, and continues from there


if __name__ == "__main__":
    main(*sys.argv[1:])
