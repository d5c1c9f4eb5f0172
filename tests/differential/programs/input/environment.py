# os.environ has what is given, and changes reach children.
# env: GREETING='hello ü' EMPTY=
import os
import subprocess

print(sorted(os.environ.items()))
os.environ["ADDED"] = "1"
del os.environ["EMPTY"]
print(subprocess.check_output("echo $GREETING ${ADDED} ${EMPTY-none}", shell=True, text=True))
