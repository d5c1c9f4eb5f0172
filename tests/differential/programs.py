"""The programs, and what their first lines say; README.md has the grammar."""

import dataclasses
import functools
import pathlib
import re
import shlex
import tokenize

DIRECTORY = pathlib.Path(__file__).parent / "programs"
HEADER = re.compile(rb"(?:\xef\xbb\xbf)?((?:#[^\r\n]*(?:\r\n|[\r\n]|$))*)")
CODING = re.compile(r"coding[:=]")  # a declaration, PEP 263
KEY = re.compile(r"# ?(\w+): *(.*)")


class BadHeader(Exception):
    pass


@dataclasses.dataclass
class Program:
    id: str  # its path below programs/, without the suffix
    source: bytes
    stdin: bytes = b""
    args: list = dataclasses.field(default_factory=list)
    env: dict = dataclasses.field(default_factory=dict)
    files: dict = dataclasses.field(default_factory=dict)  # path: bytes
    limits: dict = dataclasses.field(default_factory=dict)
    policy: str = "default"
    name: str = "main.py"
    lines: bool = False
    merge: bool = False
    killed: str = ""  # the verdict's word
    also: list = dataclasses.field(default_factory=list)
    doors: list = None  # None: all that can carry it
    python: str = ""

    @functools.cached_property
    def text(self):
        """The source as text, by its own declaration; None where it is not of the encoding that it declares."""
        lines = iter(self.source.splitlines(keepends=True))
        try:
            encoding, _ = tokenize.detect_encoding(lambda: next(lines, b""))
            return self.source.decode(encoding)
        except (SyntaxError, UnicodeDecodeError):
            return None


def content(text):
    """The bytes that an expression of Python stands for, made of literals."""
    value = eval(text, {"__builtins__": {}})
    return value if isinstance(value, bytes) else value.encode()


def pairs(text):
    return dict(word.split("=", 1) for word in shlex.split(text))


def named(text):
    name, value = text.split(None, 1)
    return {name: content(value)}


def truth(text):
    if text != "yes":
        raise ValueError("must be yes, or not be there")
    return True


# key: what reads its value
KEYS = {
    "stdin": content, "args": shlex.split, "env": pairs, "files": named, "name": str, "policy": str, "lines": truth,
    "limits": lambda text: {key: float(value) if "." in value else int(value) for key, value in pairs(text).items()},
    "merge": truth, "killed": str, "doors": str.split, "also": str.split, "python": str,
}


def parse(path):
    program = Program(str(path.relative_to(DIRECTORY).with_suffix("")), path.read_bytes())
    header = HEADER.match(program.source)[1].decode("utf-8", "replace").splitlines()
    for line in header[1:]:
        match = KEY.fullmatch(line.rstrip())
        if match is None or CODING.search(line):
            continue
        key, text = match.groups()
        if key not in KEYS:
            raise BadHeader(f"{path}: {key}: there is no such key; there are {', '.join(KEYS)}")
        try:
            value = KEYS[key](text)
        except (ValueError, SyntaxError, NameError, TypeError) as error:
            raise BadHeader(f"{path}: {key}: {text}: {error}") from None
        before = getattr(program, key)
        setattr(program, key, before | value if isinstance(before, dict) else value)
    return program


def shows(program):
    """What a program's first line says that it shows."""
    first = HEADER.match(program.source)[1].split(b"\n")[0]
    return first.decode("utf-8", "replace").lstrip("#! ").strip()


def fits(requirement, version):
    """Whether a version of Python fits a requirement such as ">=3.12" or "<3.12"."""
    if not requirement:
        return True
    operator, wanted = re.fullmatch(r"(>=|<)(\d+\.\d+)", requirement).groups()
    here, there = ([int(number) for number in text.split(".")[:2]] for text in (version, wanted))
    return here >= there if operator == ">=" else here < there


@functools.cache
def everything():
    return {program.id: program for program in map(parse, sorted(DIRECTORY.rglob("*.py")))}
