# Standard output kept from view, then sys.exit(3).
import io
import sys

out, sys.stdout = sys.stdout, io.StringIO()
out.write("seen\n")
print("caught")
sys.exit(3)
