# sys.stdout.buffer.write(), before and after a print that was flushed.
import sys

sys.stdout.buffer.write(b"bytes first\n")
sys.stdout.buffer.flush()
print("then text", flush=True)
sys.stdout.buffer.write(b"bytes last\n")
