# subprocess: run, pipes, input, errors, timeouts, shell.
import subprocess
import sys

print(subprocess.run([sys.executable, "-c", "print(input()[::-1])"], input="abc\n", capture_output=True, text=True))
print(subprocess.getoutput("echo a; echo b >&2"), subprocess.call(["false"]))
try:
    subprocess.run(["sh", "-c", "exit 4"], check=True)
except subprocess.CalledProcessError as error:
    print(error)
try:
    subprocess.run(["sleep", "100"], timeout=0.05)
except subprocess.TimeoutExpired as error:
    print(error.cmd)
subprocess.run(["no-such-program"])
