# Methods of strings, formats of all kinds, string.Template, textwrap, pprint.
import pprint
import string
import textwrap

print("%5.2f|%-5s|%05d|%x|%r|%%" % (3.14159, "ab", 42, 255, "q"))
print("{0:>5}|{1:^5}|{2!r:<6}|{0}".format(1, 2, "x"), "ß".upper(), "İ".lower().encode(), "a,b,,c".split(","), "x".join("abc"))
print(string.Template("$a and ${b}").substitute(a=1, b=2), "TitleCase".swapcase(), "tab\tx".expandtabs(4), "é".encode("ascii", "replace"))
print(textwrap.fill("The quick brown fox jumps over the lazy dog. " * 3, 40), textwrap.dedent("  a\n   b"))
pprint.pprint({"key": list(range(30)), "other": {"nested": ["x" * 30] * 3}, "a": {1, 2}})
print("abc".translate(str.maketrans("ab", "xy")), "Hello".center(11, "*"), "x=1".partition("="), "²".isdigit(), "Ⅷ".isnumeric())
