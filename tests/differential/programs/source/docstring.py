# The docstring of the script, behind comments.
"""The docstring.

With a second paragraph.
"""

from __future__ import annotations

import sys

print(repr(__doc__))
print(sys.modules["__main__"].__doc__ is __doc__)
