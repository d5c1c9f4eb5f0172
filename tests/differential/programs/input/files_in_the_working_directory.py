# Files and modules of one's own beside the script.
# files: data/numbers.txt "1\n2\n3\n"
# files: package/__init__.py "from .part import double\n"
# files: package/part.py "def double(x):\n    return 2 * x\n"
import os
import pathlib

import package

print(sum(map(package.double, map(int, pathlib.Path("data/numbers.txt").read_text().split()))))
print(sorted(name for _, _, names in os.walk(".") for name in names), package.__file__)
