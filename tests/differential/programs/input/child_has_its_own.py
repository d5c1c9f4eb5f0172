# A child with input of its own leaves the parent's alone.
# stdin: "for the parent\n"
import subprocess

print(subprocess.run(["cat"], input="for the child", capture_output=True, text=True).stdout)
print(input())
