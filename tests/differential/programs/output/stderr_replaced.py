# sys.stderr replaced by a StringIO: the traceback of an exception goes there.
import io
import sys

sys.stderr = io.StringIO()
print("shown")
raise ValueError("seen by nobody")
