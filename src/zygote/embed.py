"""Writes files as C arrays: embed.py OUTPUT NAME=FILE[+FILE…]… A NUL follows each; the size does not count it."""

import pathlib
import sys

with open(sys.argv[1], "w", encoding="ascii") as output:
    output.write('#include "zygote/embedded.h"\n')
    for argument in sys.argv[2:]:
        name, _, paths = argument.partition("=")
        data = b"".join(pathlib.Path(path).read_bytes() for path in paths.split("+"))
        numbers = ",".join(map(str, data + b"\0"))
        kind = "char" if name.endswith("_py") else "unsigned char"
        output.write(f"const {kind} embedded_{name}[] = {{{numbers}}};\n")
        if kind != "char":
            output.write(f"const size_t embedded_{name}_size = {len(data)};\n")
