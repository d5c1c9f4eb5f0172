# Text that waits in the text layer comes after bytes that were written to the buffer later.
import sys

sys.stdout.write("text")
sys.stdout.buffer.write(b"bytes ")
