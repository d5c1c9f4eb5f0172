# runpy.run_path and run_module of a module beside the script.
# files: other.py "import sys\nprint(__name__, sys.argv[0] == __file__, __spec__ is None)\nvalue = 5\n"
import runpy

print(runpy.run_path("other.py", run_name="__main__")["value"])
print(runpy.run_module("other", run_name="as_module")["value"])
