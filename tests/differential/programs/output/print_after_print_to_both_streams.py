# Two TextIOWrapper around one buffer: what the first still held comes before what the second wrote.
import io
import sys

print("through the old one", end=" ")
sys.stdout.flush()
new = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", line_buffering=True)
print("through the new one", file=new)
sys.stdout.write("and the old one again")
