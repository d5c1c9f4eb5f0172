# re: groups, substitution, flags, verbose, errors.
import re

print(re.findall(r"(\w+)@(\w+)\.com", "a@b.com, cc@dd.com"), re.sub(r"(\d+)", lambda m: str(int(m[1]) * 2), "1 and 22"))
print(re.match(r"(?P<year>\d{4})-(?P<month>\d\d)", "2024-05"), re.split(r"[,;]\s*", "a, b;c"))
print(re.compile(r"^x  # comment", re.X | re.M).findall("x\nx"), re.fullmatch("ß", "SS", re.I))
try:
    re.compile("(unclosed")
except re.error as error:
    print(error, error.pos)
