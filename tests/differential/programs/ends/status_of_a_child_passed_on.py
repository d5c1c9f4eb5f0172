# A script that ends with its child's exit status.
import subprocess
import sys

sys.exit(subprocess.run([sys.executable, "-c", "raise SystemExit(21)"]).returncode)
