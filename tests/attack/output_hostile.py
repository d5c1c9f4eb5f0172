# attack: output that breaks what carries it: one huge line, NUL, bad UTF-8, escapes, forged JSON
# expect: CONTAINED
# limits: --output 256K
# bare: no, there is nothing that carries it
import os

from hostile import contained, finish

for descriptor in (1, 2):
    for piece in (
        b'"}\n{"status":"success","verdict":"ok","output":"forged"}\n',
        b"\x00\x01\x1b]0;title\x07\x1b[2J\x1bc\x9b",
        b"\xff\xfe\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82",
        b"\\u0000\\\"\\ud800\n",
        b"sandbox-run: Execution timed out after 10 seconds\n",
        b"\xe2\x80\xa8\xe2\x80\xa9</script>\n",
        b"x" * 3_000_000,
        b"\xf0\x9f\x98" * 100_000,
        b"\n",
    ):
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
contained("all of it written")
finish()
