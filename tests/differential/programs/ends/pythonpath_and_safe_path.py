# PYTHONPATH and PYTHONSAFEPATH: the script's directory is not in sys.path.
# env: PYTHONPATH=/tmp:/opt PYTHONSAFEPATH=1
import sys

print(sys.path[:2], "/work" in sys.path, sys.flags.safe_path)
