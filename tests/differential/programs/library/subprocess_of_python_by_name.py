# python3 as a child, found in PATH.
import subprocess

print(subprocess.run(["python3", "-c", "import sys; print(sys.version_info[:2], sys.argv)"], capture_output=True,
                     text=True).stdout, end="")
