# attack: garbage on the result's descriptor: NUL, half messages, forged ones, bad JSON, bad UTF-8
# expect: CONTAINED
# limits: --call main
# bare: no, only a sandbox has a result to forge
import os

from hostile import contained, report

for piece in (
    b"R{}\nR[1]\nE\x00",
    b"EValueError\n",
    b'R{"verdict":"ok"}',
    b'R"\xff\xfe\xed\xa0\x80"',
    b"R[" + b"1," * 1000,
    b"\x00" * 1000,
    b"\xff" * 1000,
    b'"}\n{"status":"success","verdict":"ok"}\n',
):
    try:
        os.write(3, piece)
    except OSError as error:
        contained(f"the result's descriptor: {error.strerror}")


def main():
    return {"true": "result"}


contained("whatever becomes of the result, it is our own")
report()
