# A second stream for descriptor 1 that is held by a module of the standard library.
import string

string.out = open(1, "w", closefd=False)
string.out.write("held by string\n")
