# The message of a circular import.
# files: one.py "from two import b\na = 1\n"
# files: two.py "from one import a\nb = 2\n"
import one
