"""Work that only the root file system's own python can do. Runs in a cell (cell.py), in the new root.

    python3 -I -B -c "<this file>" settle     the start-up diet, .pyc files for the library, matplotlib's list of fonts
    python3 -I -B -c "<this file>" runner     stdin: runner.py, stdout: its .pyc
    python3 -I -B -c "<this file>" notebook   the same for notebook.py
    python3 -I -B -c "<this file>" describe   stdin: runner.py; describes this interpreter

Each answers on stdout; settle and describe with one line of JSON. The answers come from an
untrusted program: interpreter.py checks each of them.
"""

import importlib.util
import marshal
import os
import re
import sys

# Where the runner stands in the tree: the name that its own frames carry.
HOME = "/usr/lib/sandbox-run"

# Lines of a .pth file are executed at every start of the interpreter. Two kinds are not needed:
# old-style namespace packages work without theirs (matplotlib's costs 5 ms a start), and setuptools'
# replaces the library's distutils by its own.
NAMESPACE_PTH = re.compile(r"(import sys, types, os;.*\n?)+")
NAMESPACE_INIT = re.compile(
    r"(\s|#.*|try:|except \w+:|pass\b.*|import pkg_resources"
    r"|(__import__\(['\"]pkg_resources['\"]\)|pkg_resources)\.declare_namespace\(__name__\))*")
DISTUTILS_PTH = "distutils-precedence.pth"

# Fonts for the characters that matplotlib's own font lacks: Chinese, Japanese, Korean. The first that is there is taken.
FALLBACK_FONTS = {
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc": "WenQuanYi Micro Hei",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf": "Droid Sans Fallback",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc": "Noto Sans CJK JP",
}

# Where matplotlib's font_manager.py reads its list of fonts, and what stands there instead.
FONT_LIST_READ = "fm = json_load(fm_path)"
FONT_LIST_READ_HERE = "fm = json_load(fm_path if fm_path.exists() else Path(mpl.get_data_path(), fm_path.name))"


def hash_pyc(source, name):
    """A .pyc that is never compared with its source again: no stat, no clock, no write."""
    code = compile(source, name, "exec", dont_inherit=True)
    return importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + \
        importlib.util.source_hash(source) + marshal.dumps(code)


def describe(source):
    import json

    version = "{}.{}.{}".format(*sys.version_info[:3])
    pyc = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + \
        importlib.util.source_hash(source)
    return json.dumps({"python": os.path.realpath(sys.executable), "version": version,
                       "pyc": pyc.hex()})


def library():
    """The directories that modules are imported from."""
    return sorted({os.path.realpath(path) for path in sys.path if os.path.isdir(path)})


def put_on_diet(directories):
    """Takes away what every start of the interpreter would pay for and no script needs."""
    major_minor = "python{}.{}".format(*sys.version_info[:2])
    # Debian's crash reporter. An image's own sitecustomize stays: somebody wanted it.
    for path in (f"/usr/lib/{major_minor}/sitecustomize.py", f"/etc/{major_minor}/sitecustomize.py"):
        if os.path.isfile(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
            if "apport_python_hook" in text:
                os.unlink(path)
    for directory in directories:
        for name in os.listdir(directory):
            if name.endswith(".pth") and not pth_is_needed(directory, name):
                os.unlink(os.path.join(directory, name))
        if directory.startswith("/usr/local/lib/") and not os.listdir(directory):
            os.rmdir(directory)  # it would be looked through at every import


def pth_is_needed(directory, name):
    if name == DISTUTILS_PTH:
        return False
    with open(os.path.join(directory, name), encoding="utf-8", errors="replace") as file:
        text = file.read()
    packages = [os.path.join(directory, *package.split(","), "__init__.py")
                for package in re.findall(r"\*\(([^()]+),\)",
                                          text.replace("'", "").replace(" ", ""))]
    if not name.endswith("-nspkg.pth") or not NAMESPACE_PTH.fullmatch(text) or not packages:
        return True
    if not all(map(only_declares_namespace, packages)):
        return True
    # Such a file would now be run, and would have pkg_resources imported: without it, the directory
    # is a namespace package all the same.
    for path in filter(os.path.exists, packages):
        os.unlink(path)
    return False


def only_declares_namespace(path):
    if not os.path.exists(path):
        return True
    with open(path, encoding="utf-8", errors="replace") as file:
        return bool(NAMESPACE_INIT.fullmatch(file.read()))


def sources(directories):
    """Every .py below, once; stale caches are removed on the way. The tests of packages, a third of
    some, are left to be compiled when somebody does run them."""
    found = set()
    for top in directories:
        for directory, _, files in os.walk(top):
            if os.path.basename(directory) == "__pycache__":
                for file in files:
                    os.unlink(os.path.join(directory, file))
                continue
            if re.search(r"/(site|dist)-packages/(.*/)?tests?(/|$)", directory):
                continue
            found.update(os.path.join(directory, file) for file in files if file.endswith(".py"))
    return sorted(found)


def compile_one(path):
    try:
        with open(path, "rb") as file:
            pyc = hash_pyc(file.read(), path)
    except (OSError, SyntaxError, ValueError, RecursionError):
        return  # a template, or Python 2: importing it would fail as well
    cache = importlib.util.cache_from_source(path)
    os.makedirs(os.path.dirname(cache), exist_ok=True)
    with open(cache, "wb") as file:
        file.write(pyc)


def name_fallback_font():
    """Makes figures of matplotlib show such characters, unless its configuration names fonts already."""
    found = importlib.util.find_spec("matplotlib")
    font = next((name for path, name in FALLBACK_FONTS.items() if os.path.exists(path)), None)
    if found is None or font is None:
        return
    package = os.path.join(os.path.dirname(found.origin), "mpl-data", "matplotlibrc")
    path = next(filter(os.path.exists, ("/etc/matplotlibrc", package)), None)
    if path is None:
        return
    with open(path, encoding="utf-8") as file:
        if re.search(r"^\s*font\.family\s*:", file.read(), re.M):
            return
    with open(path, "a", encoding="utf-8") as file:
        file.write(f"\nfont.family: sans-serif, {font}\n")


def read_font_list():
    """Makes matplotlib look for its list of fonts beside its own data, too, unless the script has a list already. Without
    one it looks through all fonts at its first import, which takes a job a second and some memory, and writes the list to
    a directory that lasts as long as the job. It never reads one from a directory that it can't write to.

    Another version of matplotlib may have other code there: it then does as it always did."""
    found = importlib.util.find_spec("matplotlib")
    path = os.path.join(os.path.dirname(found.origin), "font_manager.py") if found and found.origin else ""
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if text.count(FONT_LIST_READ) == 1:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(FONT_LIST_READ, FONT_LIST_READ_HERE))


def write_font_list():
    """Writes that list, in a process of its own: what a package does there is nobody else's matter."""
    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(2, 1)  # the answer is not the package's
            os.environ["MPLCONFIGDIR"] = "/tmp"  # of the tree, and emptied later
            from matplotlib import font_manager as fonts, get_data_path

            fonts.json_dump(fonts.fontManager,
                            os.path.join(get_data_path(), f"fontlist-v{fonts.FontManager.__version__}.json"))
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def settle():
    import warnings

    warnings.simplefilter("ignore")
    sys.setrecursionlimit(5000)
    directories = library()
    put_on_diet(directories)
    try:
        name_fallback_font()
        read_font_list()
    except (OSError, ValueError):
        pass  # a package that is broken, which its users will notice
    paths = sources([path for path in directories if os.path.isdir(path)])
    workers = max(1, min(8, os.cpu_count() or 1))
    children = []
    for worker in range(workers):
        pid = os.fork()
        if pid == 0:
            for path in paths[worker::workers]:
                compile_one(path)
            os._exit(0)
        children.append(pid)
    status = max([os.waitpid(pid, 0)[1] for pid in children])
    write_font_list()
    return status


def main():
    source = sys.stdin.buffer.read()
    if sys.argv[1] == "settle":
        status = settle()
        print(describe(source))
        sys.exit(1 if status else 0)
    if sys.argv[1] in ("runner", "notebook"):
        sys.stdout.buffer.write(hash_pyc(source, f"{HOME}/{sys.argv[1]}.py"))
    else:
        print(describe(source))


main()
