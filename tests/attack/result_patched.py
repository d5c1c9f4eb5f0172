# attack: change the modules that the runner writes our result with: json, posix.write, sys.modules
# expect: ok exception
# limits: --call main
# bare: no, only a sandbox has a result to forge
import builtins
import json
import os
import posix
import sys

from hostile import armed

write = posix.write


def broken(*_, **__):
    return '{"true": "result"'


def doubled(descriptor, data):
    if descriptor == 3:
        write(3, b'R{"verdict": "ok"')
    return write(descriptor, data)


def main():
    return {"true": "result"}


json.dumps = json.encoder.encode_basestring_ascii = json.JSONEncoder.encode = broken
json.JSONEncoder.iterencode = lambda *_, **__: iter(["{", '"true"'])
posix.write = os.write = doubled
builtins.repr = builtins.isinstance = lambda *_: True
sys.modules["_json"] = sys.modules["runner"] = None
armed("whatever becomes of the result, it is our own, and the answer one line of JSON")
