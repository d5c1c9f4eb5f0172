# attack: a result that is nested deeper than any parser recurses, or that grows a thousandfold
# expect: CONTAINED
# bare: no, only a sandbox has a result to forge
import os

from hostile import contained, finish


def send(text):
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(3, rest) :]


send(b"R" + b"[" * 300_000 + b"{}" + b",{}" * 100_000 + b"]" * 300_000)
contained("deep and broad JSON went out as the result")
finish()
