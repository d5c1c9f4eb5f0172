# Standard output kept from view, then an exception that nothing catches.
import io
import sys

out, sys.stdout = sys.stdout, io.StringIO()
out.write("seen\n")
raise ValueError("at the end")
