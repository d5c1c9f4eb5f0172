# A child reads what its parent left in the pipe.
# stdin: "for the child\n"
import subprocess

print(subprocess.run(["cat"], capture_output=True, text=True).stdout, end="")
