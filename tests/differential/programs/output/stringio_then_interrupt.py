# Standard output kept from view, then KeyboardInterrupt.
import io
import sys

out, sys.stdout = sys.stdout, io.StringIO()
out.write("seen without a newline")
raise KeyboardInterrupt
