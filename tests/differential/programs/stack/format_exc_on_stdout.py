# traceback.format_exc() on standard output, as teaching sites do it.
import traceback

try:
    int("abc")
except ValueError:
    print(traceback.format_exc().replace("/work/", ""))
