# Output kept from view by a StringIO and written by the script to the stream that it had saved.
import io
import sys

out = sys.stdout
sys.stdout = io.StringIO()
print("caught")
out.write("seen\n")
out.write(f"had caught {sys.stdout.getvalue()!r}\n")
