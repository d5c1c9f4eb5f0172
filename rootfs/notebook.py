"""Runs the script as a notebook cell: the value of its last expression is displayed, `await` works at the top level,
and figures of matplotlib come back. For runner.py, which loads it for cells alone.

A display is a bundle: {MIME type: text, or JSON}, always with "text/plain". It goes to the supervisor as one message
(MESSAGE) before the runner's last one. The script can send such messages, too: the supervisor trusts no byte of them.
"""

import _thread
import posix
import sys

ONLY_AST, AWAIT = 0x400, 0x2000  # ast.PyCF_ONLY_AST, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
FUTURE = 0x1FE0000  # the flags of __future__
COROUTINE = 0x80  # inspect.CO_COROUTINE
FIONREAD = 0x541B  # ioctl_tty(2): how many bytes of a pipe are unread
RESULT_FD = 3  # as in runner.py
MESSAGE = b"D%016x"  # and the bundle as JSON, of that size
BACKEND = "sandbox_run_cell"  # matplotlib's name for fill_backend
FORMATS = {"png": "image/png", "svg": "image/svg+xml"}
METHODS = {
    "_repr_html_": "text/html",
    "_repr_markdown_": "text/markdown",
    "_repr_svg_": "image/svg+xml",
    "_repr_png_": "image/png",
    "_repr_jpeg_": "image/jpeg",
    "_repr_latex_": "text/latex",
    "_repr_json_": "application/json",
}
CANARY = "_no_object_has_a_method_of_this_name_"

tell = None  # sends a message: (kind, text)
as_number = None  # runner.py's: what JSON has for a number of numpy
form = "png"  # of figures
output = {}  # where displays and output are passed on as they come: 1 and 2, and which files they are
owner = 0  # the process that displays; its forks print instead
lock = _thread.allocate_lock()
shown = None  # a WeakSet of the figures that have been displayed


# ── The cell's code ──────────────────────────────────────────────────────────────────────────────


def is_silent(source, node):
    """Whether a semicolon follows the last expression. Only brackets and comments can stand behind it otherwise."""
    source = source[3:] if source.startswith(b"\xef\xbb\xbf") else source
    rest = source.splitlines()[node.end_lineno - 1:]
    rest[:1] = [line[node.end_col_offset:] for line in rest[:1]]
    return any(b";" in line.partition(b"#")[0] for line in rest)


def parse(source, name):
    """The cell as a tree, and its last expression, if it is to be displayed."""
    import _ast

    tree = compile(source, name, "exec", ONLY_AST | AWAIT, True)
    last = tree.body[-1] if tree.body else None
    if type(last) is not _ast.Expr or is_silent(source, last):
        return tree, None
    return tree, _ast.Expression(tree.body.pop().value)


def compile_cell(source, name):
    """(code objects to be run in this order, exception). The value of the last one is displayed. ([], None): python
    itself is to run the source, and says what is wrong with it."""
    try:
        tree, value = parse(source, name)
    except Exception:
        return [], None
    try:
        codes = [compile(tree, name, "exec", AWAIT, True)]
        if value is not None:
            codes.append(compile(value, name, "eval", AWAIT | codes[0].co_flags & FUTURE, True))
        return codes, None
    except Exception:
        pass
    try:  # the message of an error shows its line only if the source is compiled
        compile(source, name, "exec", AWAIT, True)
    except SyntaxError as error:
        return [], error.with_traceback(None)
    except Exception:
        pass
    return [], None


def show_lines_of_command(codes, source):
    """Tracebacks of -c show lines from Python 3.13 on."""
    if sys.version_info < (3, 13):
        return
    import linecache

    for code in codes:
        linecache._register_code(code, source.decode("utf-8", "replace"), "<string>")


async def run_all(codes, scope):
    value = None
    for code in codes:
        value = eval(code, scope)
        if code.co_flags & COROUTINE:
            value = await value
    return value


def without_ours(error, codes=()):
    """The exception with a traceback that begins in the script: where one of the codes runs, or behind this file."""
    trace = error.__traceback__
    while trace is not None and (trace.tb_frame.f_code not in codes if codes else
                                 trace.tb_frame.f_code.co_filename == display.__code__.co_filename):
        trace = trace.tb_next
    return error.with_traceback(trace or error.__traceback__)


def cell_steps(source, name, command, scope, wanted, send, number):
    """Steps as in runner.job_steps. Returns (None, exception, watched) of the whole cell. `command`: it came with -c.
    `wanted`: the format of figures, with " live" behind it if displays are passed on as they come."""
    prepare(wanted, send, number)
    watched = False
    codes, error = compile_cell(source, name)
    value = None
    if command:
        show_lines_of_command(codes, source)
    if any(code.co_flags & COROUTINE for code in codes):
        import asyncio

        value, error, watched = yield asyncio.run, (run_all(codes, scope),), {}
        if error is not None:
            error = without_ours(error, codes)
    elif codes:
        for code in codes:
            value, error, watched = yield code, scope
            if error is not None:
                break
    elif error is None:
        _, error, watched = yield source, name, scope
    if posix.getpid() != owner:
        return None, error, watched
    if error is None and value is not None:
        _, error, watched = yield display, (value,), {}
    del value
    _, failed, watched = yield show_figures, (), {}
    if error is None and failed is not None:
        error = failed
    if error is not None and not codes:
        return None, error, watched
    return None, without_ours(error) if error is not None else None, watched


# ── Displays ─────────────────────────────────────────────────────────────────────────────────────


def prepare(wanted, send, number):
    global form, tell, as_number, owner
    form, _, live = wanted.partition(" ")
    tell, as_number, owner = send, number, posix.getpid()
    if live:
        output.update((fd, identity(fd)) for fd in (1, 2))
    sys.modules["builtins"].display = display
    sys.meta_path.append(Backend)
    sys.modules["os"].environ["MPLBACKEND"] = f"module://{BACKEND}"
    matplotlib, pyplot = sys.modules.get("matplotlib"), sys.modules.get("matplotlib.pyplot")
    if matplotlib is not None:  # preloaded
        matplotlib.rcParams["backend"] = f"module://{BACKEND}"
        if getattr(pyplot, "_backend_mod", None) is not None:
            pyplot.switch_backend(f"module://{BACKEND}")


def display(*values, raw=False, **ignored):
    """Displays each value. raw=True: each is a bundle itself, {MIME type: data}. Other keywords are IPython's, and
    change nothing here."""
    for value in values:
        bundle = without_none(value) if raw else bundle_of(value)
        bundle.setdefault("text/plain", f"<{', '.join(map(str, bundle))}>")
        send_bundle(bundle)


def without_none(bundle):
    return {mime: data for mime, data in bundle.items() if data is not None}


def complain(error):
    """Shows an exception of a method that the value could do without."""
    error = without_ours(error)
    sys.excepthook(type(error), error, error.__traceback__)


def ask(value, name, **arguments):
    """What the method of that name returns, without its metadata; None: nothing."""
    try:
        method = getattr(value, name, None)
        if not callable(method):
            return None
        data = method(**arguments)
    except NotImplementedError:
        return None
    except Exception as error:
        return complain(error)
    return data[0] if type(data) is tuple else data


def bundle_of(value):
    bundle = {}
    if is_figure(value):
        bundle[FORMATS[form]] = picture(value)
    elif not isinstance(value, type) and getattr(value, CANARY, None) is None:
        given = ask(value, "_repr_mimebundle_", include=None, exclude=None)
        if isinstance(given, dict):
            bundle.update(without_none(given))
        for name, mime in METHODS.items():
            if mime not in bundle and (mime != "image/jpeg" or "image/png" not in bundle):
                data = ask(value, name)
                if data is not None:
                    bundle[mime] = data
    if "text/plain" not in bundle:
        bundle["text/plain"] = repr(value)
    return bundle


def as_text(mime, data):
    """Text for JSON: pictures of bytes in base64, SVG and text as such."""
    if mime.startswith("image/") and mime != "image/svg+xml":
        if isinstance(data, str):
            return "".join(data.split())
        import binascii

        return binascii.b2a_base64(data, newline=False).decode()
    return data if isinstance(data, str) else bytes(data).decode("utf-8", "replace")


def as_json(mime, data):
    from _json import encode_basestring_ascii

    if isinstance(data, (str, bytes, bytearray, memoryview)):
        return encode_basestring_ascii(as_text(mime, data))
    if mime.startswith(("text/", "image/")):
        return encode_basestring_ascii(str(data))
    import json

    return json.dumps(data, allow_nan=False, default=as_number)


def send_bundle(bundle):
    from _json import encode_basestring_ascii

    members = []
    for mime, data in bundle.items():
        try:
            members.append(f"{encode_basestring_ascii(str(mime))}:{as_json(str(mime), data)}")
        except (TypeError, ValueError, RecursionError) as error:
            complain(TypeError(f"the display of type {mime} is not JSON: {error}"))
    if posix.getpid() != owner:
        print(bundle["text/plain"])
        return
    text = f"{{{','.join(members)}}}"
    flush()
    with lock:
        for fd, file in output.items():
            wait_until_read(fd, file)
        result = identity(RESULT_FD)
        tell(MESSAGE % len(text), text)
        if output:
            wait_until_read(RESULT_FD, result)


# ── The order of displays and output ─────────────────────────────────────────────────────────────

# They come on three pipes, which tell the supervisor nothing of the order among them. So a display is sent when nothing
# that was written before it is unread, and nothing is written before it has been read.


def flush():
    """Python's own buffers: what was printed before stands before the display."""
    for stream in sys.stdout, sys.stderr:
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass


def identity(fd):
    """Which pipe this is; None: it is no pipe, or closed."""
    try:
        info = posix.fstat(fd)
    except OSError:
        return None
    return (info.st_dev, info.st_ino) if info.st_mode & 0o170000 == 0o010000 else None


def wait_until_read(fd, file):
    """Waits until the supervisor has read all that is now in its pipe. A script that has put another file there does not
    wait for it. Other threads and processes may go on writing: it is enough that as much was read as there was."""
    import fcntl
    import time

    left = before = None
    pause = 0.00005
    while file is not None and identity(fd) == file:
        try:
            unread = int.from_bytes(fcntl.ioctl(fd, FIONREAD, bytes(4)), sys.byteorder)
        except OSError:
            return
        left = unread if left is None else left - max(before - unread, 0)
        if unread == 0 or left <= 0:
            return
        before = unread
        time.sleep(pause)
        pause = min(2 * pause, 0.005)


# ── Figures of matplotlib ────────────────────────────────────────────────────────────────────────


def is_figure(value):
    return isinstance(value, getattr(sys.modules.get("matplotlib.figure"), "Figure", ()))


def picture(figure):
    """What savefig makes of it: one pass of drawing, and the script's own rcParams."""
    global shown
    import io
    import weakref

    file = io.BytesIO()
    figure.savefig(file, format=form)
    if shown is None:
        shown = weakref.WeakSet()
    shown.add(figure)
    return file.getvalue()


def show_figures():
    """Displays the figures that pyplot has open, except for those that have been displayed, and closes them."""
    figures = getattr(sys.modules.get("matplotlib._pylab_helpers"), "Gcf", None)
    if figures is None:
        return
    try:
        for manager in figures.get_all_fig_managers():
            if shown is None or manager.canvas.figure not in shown:
                display(manager.canvas.figure)
    finally:
        figures.destroy_all()


def fill_backend(names):
    """Makes a back end of matplotlib: Agg, whose show() displays."""
    from matplotlib.backend_bases import FigureManagerBase
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    class FigureManager(FigureManagerBase):
        def show(self):
            display(self.canvas.figure)

    class FigureCanvas(FigureCanvasAgg):
        manager_class = FigureManager

    def new_figure_manager(num, *args, FigureClass=Figure, **kwargs):
        return new_figure_manager_given_figure(num, FigureClass(*args, **kwargs))

    def new_figure_manager_given_figure(num, figure):
        return FigureManager(FigureCanvas(figure), num)

    def show(*args, **kwargs):
        show_figures()

    names.update(FigureManager=FigureManager, FigureCanvas=FigureCanvas, new_figure_manager=new_figure_manager,
                 new_figure_manager_given_figure=new_figure_manager_given_figure, show=show)


class Backend:
    """Finds and loads the module of that name, when matplotlib asks for it."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != BACKEND:
            return None
        from _frozen_importlib import ModuleSpec

        return ModuleSpec(name, Backend)

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        fill_backend(vars(module))
