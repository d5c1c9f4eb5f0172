"""Writes openapi.json as the C table of openapi.h: openapi_parts.py INPUT OUTPUT.

A value "{{name}}" ends a part; the function openapi_name writes what stands there in the served document."""

import json
import re
import sys


def members(pairs):
    """An object; JSON itself would let the second of two members of one name win."""
    names = [name for name, _ in pairs]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        sys.exit(f"{sys.argv[1]}: twice in one object: {', '.join(twice)}")
    return dict(pairs)


with open(sys.argv[1], encoding="utf-8") as template:
    document = json.load(template, object_pairs_hook=members)
text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
pieces = [*re.split(r'"\{\{(\w+)\}\}"', text), None]  # text, name, text, …, name, text, None

with open(sys.argv[2], "w", encoding="utf-8") as output:
    output.write('#include "serve/api/openapi.h"\n\nconst struct openapi_part openapi_parts[] = {\n')
    for part, name in zip(pieces[::2], pieces[1::2]):
        literal = part.replace("\\", "\\\\").replace('"', '\\"')
        output.write(f'    {{"{literal}", {f"openapi_{name}" if name else "NULL"}}},\n')
    output.write("    {NULL, NULL},\n};\n")
