# attack: make the supervisor look through a hundred thousand files, and patterns that are slow to match
# expect: CONTAINED
# limits: --collect-glob ** --collect-glob *a*a*a*a*a*a*a*b --tmp-files 200000 --memory 512M --timeout 60
# bare: no, there is nobody who collects
import os

from hostile import contained, finish

os.chdir("/work")
for i in range(100_000):
    if i % 1000 == 0:
        os.makedirs(f"/work/{i}")
        os.chdir(f"/work/{i}")
    os.close(os.open(f"{i}" + "a" * 100, os.O_CREAT, 0o600))
contained("100,000 files are there")
finish()
