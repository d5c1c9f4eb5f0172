"""Runs one script inside the sandbox, as `python3 script.py` would.

    python3 runner.pyc NAME SOURCE CALL [ARGS...]

NAME is the script's name in tracebacks and sys.argv[0] ("-c" and "-" are "<string>" and "<stdin>" in
tracebacks, as with python3); SOURCE the file that holds the code, or the
number of a descriptor that does; CALL the function to call afterwards, or "".

What the supervisor should know travels on descriptor 3, apart from the script's output: b"E" and the
name of the exception's class, or b"R" and the value of the called function as JSON. The script can
write there too: it falsifies its own result and nothing else, the supervisor trusts no byte of it.

Every import here is paid for by every job: these modules are always loaded already.
"""

import _frozen_importlib
import _frozen_importlib_external
import _imp
import _warnings
import _weakref
import posix
import sys

PROTOCOL = 2  # what the supervisor and this file agree on; recorded in rootfs.json
RESULT_FD = 3
INTERRUPTED = 1 << 32  # no exit status: ended by SIGINT, as python is by a KeyboardInterrupt
flush_c = None  # set in a zygote: writes out what C code has in buffers of its own
types_made = False  # set in a zygote: compile() has made the types of the ast module
last_module = None  # set in a zygote: what comes after it in sys.modules is the script's


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
    data = kind + text.encode("utf-8", "replace")
    try:
        while data:
            data = data[posix.write(RESULT_FD, data):]
    except OSError:
        pass


def read_source(source):
    with open(int(source) if source.isdigit() else source, "rb") as file:
        return file.read()


def execute(source, name, scope):
    """exec(compile(source, name, "exec"), scope), a millisecond faster.

    The first compile() of a process makes all the types of the ast module. exec() of a text does not,
    but calls the code "<string>": it gets its name when its first frame begins, as importlib names
    code that has moved. Whatever keeps that from happening (a SyntaxError or a warning, which would
    tell the wrong name) goes through compile() after all.
    """
    started = False
    strict = ("error", None, SyntaxWarning, None, 0)

    def filter_warnings(change):
        change(strict)
        _warnings._filters_mutated()

    def first_frame(frame, event, argument):
        nonlocal started
        if frame.f_globals is not scope:
            return  # the parser's: it imports unicodedata for names that are not ASCII, and codecs
        sys.settrace(None)
        filter_warnings(_warnings.filters.remove)
        _imp._fix_co_filename(frame.f_code, name)
        started = True

    if not sys.warnoptions and not types_made:
        filter_warnings(lambda entry: _warnings.filters.insert(0, entry))
        sys.settrace(first_frame)
        try:
            exec(source, scope)
        except BaseException:
            if started:
                raise
            sys.settrace(None)
            filter_warnings(_warnings.filters.remove)
    if not started:
        exec(compile(source, name, "exec", dont_inherit=True), scope)


def make_main(name, source, args):
    """Puts a __main__ into sys.modules as a script of that name would find it; returns its names."""
    main = type(sys)("__main__")
    main.__annotations__ = {}
    main.__builtins__ = sys.modules["builtins"]
    sys.argv[:] = [name, *args]
    if source.isdigit():
        main.__loader__ = _frozen_importlib.BuiltinImporter
        sys.path[0] = ""
    else:
        main.__loader__ = _frozen_importlib_external.SourceFileLoader("__main__", source)
        main.__file__ = source
        main.__cached__ = None
        sys.path[0] = source.rpartition("/")[0]
    sys.modules["__main__"] = main
    return main.__dict__


def hide_runner(hook, runner):
    """An excepthook that shows tracebacks from the script's first frame on."""

    def excepthook(kind, error, traceback):
        while traceback is not None and traceback.tb_frame.f_code.co_filename == runner:
            traceback = traceback.tb_next
        if error is not None:
            error.__traceback__ = traceback
        hook(kind, error, traceback)

    return excepthook


def value_as_json(scope, call):
    """Calls the function and returns its value as JSON text."""
    function = scope.get(call)
    if not callable(function):
        raise NameError(f"the script defines no function {call}()")
    value = function()
    import json

    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        reason = str(error)
    raise TypeError(f"the value of {call}() is not JSON-serialisable: {reason}")


# ── The end ──────────────────────────────────────────────────────────────────────────────────────


def may_leave():
    """Whether leave() will do: not where someone asked to look at the end, and not where C code may
    have written into buffers of its own, which only exit(3) flushes."""
    if sys.flags.inspect or sys.flags.dev_mode:
        return False
    if flush_c is not None:
        flush_c()
        return True
    if "_ctypes" in sys.modules:
        return False
    files = [str(getattr(module, "__file__", None)) for module in [*sys.modules.values()]]
    return all("/lib-dynload/" in file for file in files if file.endswith(".so"))


def flush():
    """Whether all that was printed has got out."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not stream.closed:
                stream.flush()
    except BaseException:
        return False
    return True


def forget_names(names):
    """What _PyModule_Clear does: first the private names, then the rest."""
    for key in [key for key in names if key[:1] == "_" and key[1:2] != "_"]:
        names[key] = None
    for key in [key for key in names if key != "__builtins__"]:
        names[key] = None


def modules_since(last):
    """Names in sys.modules, the newest first, down to that one; without __main__, which comes last of all."""
    names = []
    for name in reversed(sys.modules):
        if name == last:
            break
        if name != "__main__":
            names.append(name)
    return names


def forget_modules():
    """Takes away the script's own modules: what they hold is finalised, __del__ called. Modules that
    something still holds lose their names."""
    import gc

    sys.last_type = sys.last_value = sys.last_traceback = None
    own = [name for name in modules_since(last_module)
           if str(getattr(sys.modules.get(name), "__file__", None)).startswith(("/work/", "/tmp/"))]
    left = [_weakref.ref(sys.modules.pop(name)) for name in [*own, "__main__"] if name in sys.modules]
    gc.collect()
    for module in [reference() for reference in left]:
        if module is not None:
            forget_names(vars(module))


def leave(status):
    """Ends the process as CPython would, in CPython's order (Py_FinalizeEx), but for taking the
    interpreter itself to pieces, which takes a millisecond and which nobody sees. Returns when there
    is something to be seen after all: CPython then does it."""
    sys.settrace(None)
    sys.setprofile(None)
    if not may_leave():
        return
    if "threading" in sys.modules:
        sys.modules["threading"]._shutdown()
    if "atexit" in sys.modules:
        sys.modules["atexit"]._run_exitfuncs()
    if not flush():
        return
    forget_modules()
    if not flush():
        return
    if status == INTERRUPTED:
        import _signal

        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
        posix.kill(posix.getpid(), _signal.SIGINT)
    posix._exit(status & 0xFF)


def show(error):
    """Shows an exception that nothing caught, as PyErr_Print does. False when CPython must do it."""
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except BaseException:
        return False
    return True


def run(runner, name, source, call, args, code=None):
    """Runs the script and ends the process; returns never, but raises what CPython is to deal with.

    `code`: where a warm start has it already."""
    try:
        posix.set_inheritable(RESULT_FD, False)
    except OSError:
        pass
    scope = make_main(name, source, args)
    shown = {"-c": "<string>", "-": "<stdin>"}.get(name, name)
    script, result = posix.getpid(), identity()
    try:
        execute(read_source(source) if code is None else code, shown, scope)
        if call and posix.getpid() == script:
            tell(result, b"R", value_as_json(scope, call))
    except SystemExit as error:
        status = 0 if error.code is None else error.code
        if type(status) is not int or status.bit_length() > 31:
            raise
    except BaseException as error:
        sys.excepthook = hide_runner(sys.excepthook, runner)
        if posix.getpid() == script:  # a forked child's end is not the script's
            tell(result, b"E", type(error).__name__)
        if not show(error):
            raise
        status = INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1
    else:
        status = 0
    # Nothing here may hold the script's names any longer: they are to die with their module.
    del scope
    leave(status)
    sys.exit(status)


if __name__ == "__main__":
    run(run.__code__.co_filename, *sys.argv[1:4], sys.argv[4:])
