# A child that still runs when the script ends: it is ended with it, and nobody waits for it.
import subprocess

subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL)
print("end of main")
