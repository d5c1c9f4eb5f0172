# attack: displays that break what shows them: MIME types with newlines, pictures with markup, deep or broken JSON
# expect: CONTAINED
# limits: --notebook
# bare: no, only a notebook cell has displays
import json
import os

from hostile import contained, finish

PLAIN = '{"text/plain": "BREACH"'
for bundle in (
    PLAIN + ', "text/html\\n<script>": "x"}', PLAIN + ', "text/html\n": "x"}', PLAIN + ', "text/html; charset=x": "x"}',
    PLAIN + ', "Text/HTML": "x"}', PLAIN + ', "text": "x"}', PLAIN + ', "/": "x"}', PLAIN + ', "text/": "x"}',
    PLAIN + ', "a/' + "b" * 200 + '": "x"}', PLAIN + ', "event": "verdict"}', PLAIN + ', "text/plain": "again"}',
    PLAIN + ', "image/png": "\\" onerror=\\"alert(1)"}', PLAIN + ', "image/png": 1}', PLAIN + ', "text/html": ["x"]}',
    PLAIN + ', "a/b": ' + "[" * 5000 + "]" * 5000 + "}", PLAIN + ', "a/b": NaN}', PLAIN + ', "a/b": 01}', PLAIN + "} {}",
    PLAIN, PLAIN + ',}', '{"text/html": "BREACH"}', '["text/plain", "BREACH"]', '"BREACH"', "{}", "nonsense",
    PLAIN + ', "a/b": "\udcff"}', PLAIN + ', "a/b": "\0"}', PLAIN + ', "a/b": "\udced\udca0\udc80"}',
):
    data = bundle.encode("utf-8", "surrogateescape")
    os.write(3, b"D%016x" % len(data) + data)
# Allowed, since it is only data: those who show it must see to it that no script in it runs.
data = json.dumps({"text/plain": "", "text/html": "</script><script>alert(1)</script>", "image/svg+xml": "<svg onload=x>"})
os.write(3, b"D%016x" % len(data) + data.encode())
# What ends the displays: a head that is none, a size that overflows, half a message, a verdict of our own.
for garbage in (b"Dffffffffffffffff", b"D7fffffffffffffff{}", b'R{"BREACH": 1}', b"EBREACH", b"D00000"):
    os.write(3, garbage)
contained("all sent; none but the one with HTML may be shown")
finish()
