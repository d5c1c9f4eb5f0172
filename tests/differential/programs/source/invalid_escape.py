# An invalid escape sequence: a warning that says the script's name and line.
import re

print(re.split("\s+", "a b  c"), "\d")
