# SystemExit that is caught, and its code.
import sys

for code in (None, 3, "text", (1, 2)):
    try:
        sys.exit(code)
    except SystemExit as error:
        print(repr(error), error.code)
print("goes on")
