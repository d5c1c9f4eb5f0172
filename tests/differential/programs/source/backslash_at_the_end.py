# A backslash as the last character of the source.
x = 1 + \