# Popen: communicate, poll, send_signal, stderr to stdout.
import signal
import subprocess
import sys

child = subprocess.Popen([sys.executable, "-c", "import sys; print('out', flush=True); print('err', file=sys.stderr)"],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
print(child.communicate(), child.returncode)
child = subprocess.Popen(["sleep", "100"])
print(child.poll())
child.send_signal(signal.SIGTERM)
print(child.wait())
